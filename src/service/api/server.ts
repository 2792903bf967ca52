import { createHash, timingSafeEqual } from 'node:crypto';
import * as http from 'node:http';
import { ServiceError } from '../../execution/errors';
import { toErrorJson } from '../../execution/error-json';
import { HTTP_CODES } from '../../execution/errors';
import { MAX_BODY_BYTES } from '../../protocol/service-paths';
import { Semaphore } from '../semaphore';
import { Connections } from './connections';
import { answerForm, formatAnswer } from './system-parameters';

/** An authorized request: it has the right Host header and token. */
export interface ApiRequest {
  readonly method: string;
  /** Path without leading slash, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The raw bytes; empty if there is no body. */
  readonly body: Uint8Array;
  /** Aborted when the client disconnects before it got the answer. */
  readonly signal: AbortSignal;
}

/** Handles a request: resolves with the answer's JSON body, or rejects with a ServiceError. */
export type ApiHandler = (request: ApiRequest) => Promise<unknown>;

/** Above this size, or without a known size, only {@link MAX_LARGE_BODIES} bodies are read at a time. */
const LARGE_BODY_BYTES = 64 * 1024;
const MAX_LARGE_BODIES = 8;

/** Timeouts of a connection, milliseconds. */
export interface TimeLimits {
  /** From the connection, or the previous answer, to the end of the request's headers. */
  readonly headers: number;
  /** To the end of the request's body. */
  readonly request: number;
  /** Idle time between two requests. */
  readonly idle: number;
  /** How often the timeouts are checked. */
  readonly check: number;
}
const TIME_LIMITS: TimeLimits = { headers: 10_000, request: 30_000, idle: 60_000, check: 2_000 };

/**
 * HTTP server on the loopback interface. A request is rejected unread unless its Host header names the loopback
 * interface and its bearer token is valid. Requests are limited in size and time. CORS headers are never sent, so no
 * web page can read an answer.
 */
export class ApiServer {
  private readonly server: http.Server;
  private readonly connections: Connections;
  private readonly large = new Semaphore(MAX_LARGE_BODIES);
  private readonly tokenDigest: Buffer;
  private port = 0;

  constructor(
    token: string,
    private readonly handler: ApiHandler,
    private readonly log: (message: string) => void,
    limits: TimeLimits = TIME_LIMITS,
  ) {
    this.tokenDigest = digest(token);
    this.server = http.createServer(
      {
        maxHeaderSize: 16 * 1024,
        headersTimeout: limits.headers,
        requestTimeout: limits.request,
        keepAliveTimeout: limits.idle,
        connectionsCheckingInterval: limits.check,
      },
      (request, response) => {
        void this.answer(request, response);
      },
    );
    this.connections = new Connections(this.server);
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // Not HTTP: answer 400 once, if the client can still receive it.
      if (socket.writable && error.code !== 'ECONNRESET')
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      socket.destroy();
    });
  }

  /** Listens on a free port. @returns the endpoint, `http://127.0.0.1:PORT/`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Stops listening, and closes after the requests in progress; after 1 s closes the remaining connections too. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeIdleConnections();
      setTimeout(() => {
        this.server.closeAllConnections();
      }, 1000).unref();
    });
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const client = new AbortController();
    response.once('close', () => {
      if (!response.writableEnded) client.abort();
    });
    const { signal } = client;
    try {
      this.authorize(request);
      const url = parseTarget(request.url ?? '');
      const { method = '' } = request;
      const form = answerForm(url.searchParams, request.headers['x-goog-fieldmask']?.toString());
      const answer = async (): Promise<unknown> => {
        const body = await readBody(request);
        return this.handler({ method, path: url.pathname.slice(1), query: url.searchParams, body, signal });
      };
      const body = await (isLarge(request) ? this.large.run(answer) : answer());
      send(response, 200, formatAnswer(body, form));
    } catch (error) {
      // A rejected client keeps no connection.
      const isRejected = error instanceof ServiceError && REJECTIONS.has(error.reason);
      if (!request.complete || isRejected) response.setHeader('Connection', 'close');
      if (error instanceof ServiceError) {
        if (error.status === 'UNAUTHENTICATED') {
          // RFC 6750 requires a parameter, and httplib2 does not read the header without one.
          response.setHeader('WWW-Authenticate', 'Bearer realm="notebook-executions"');
        }
        send(response, HTTP_CODES[error.status], JSON.stringify(toErrorJson(error)));
      } else if (!signal.aborted && (!request.destroyed || request.complete)) {
        this.log(
          `${request.method ?? ''}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
        const internal = new ServiceError('INTERNAL', 'internalError', 'see the log of the service');
        send(response, 500, JSON.stringify(toErrorJson(internal)));
      }
    }
  }

  private authorize(request: http.IncomingMessage): void {
    const { host, authorization } = request.headers;
    const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${this.port}`);
    if (host === undefined || !hosts.includes(host.toLowerCase())) {
      throw new ServiceError(
        'PERMISSION_DENIED',
        'hostNotLoopback',
        'the Host header must name the loopback interface',
      );
    }
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1] ?? '';
    // Digests all have the same length, so the time of the comparison reveals nothing about the token.
    if (!timingSafeEqual(digest(token), this.tokenDigest)) {
      throw new ServiceError(
        'UNAUTHENTICATED',
        'tokenInvalid',
        'a bearer token is needed: see the token file',
      );
    }
    if (!this.connections.admit(request.socket))
      throw new ServiceError('RESOURCE_EXHAUSTED', 'connectionsExhausted', 'too many connections');
  }
}

/** Reasons for rejecting a request before its body is read. */
const REJECTIONS: ReadonlySet<string> = new Set(['hostNotLoopback', 'tokenInvalid', 'connectionsExhausted']);

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function parseTarget(target: string): URL {
  try {
    // An absolute URL or `//host` would be parsed as a path of another host.
    if (target.startsWith('/') && !target.startsWith('//')) return new URL(target, 'http://127.0.0.1');
  } catch {
    // An invalid URL is answered like an unknown path.
  }
  throw new ServiceError('NOT_FOUND', 'pathNotFound', 'no such path');
}

/** Whether a body is large or its size unknown. */
function isLarge({ headers }: http.IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > LARGE_BODY_BYTES
  );
}

/** Reads a whole body. @throws ServiceError `requestTooLarge` */
async function readBody(request: http.IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const announced = Number(request.headers['content-length'] ?? 0);
  for await (const chunk of announced > MAX_BODY_BYTES ? [] : request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_BODY_BYTES) break;
    chunks.push(bytes);
  }
  if (Math.max(size, announced) <= MAX_BODY_BYTES) return Buffer.concat(chunks);
  throw new ServiceError(
    'INVALID_ARGUMENT',
    'requestTooLarge',
    `a request body has at most ${MAX_BODY_BYTES} bytes`,
  );
}

function send(response: http.ServerResponse, code: number, json: string): void {
  if (response.headersSent || response.destroyed) return;
  const text = Buffer.from(json);
  response.writeHead(code, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}
