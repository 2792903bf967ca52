import * as http from 'node:http';
import { ServiceError } from '../execution/errors';

/** Address and access token of the service. */
export interface Connection {
  /** `http://127.0.0.1:PORT/` */
  readonly endpoint: string;
  readonly token: string;
}

/** A request to the service. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Without a leading slash, including the query. */
  readonly path: string;
  readonly body?: unknown;
  /** Milliseconds for the whole request. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** No service listens at the address, or the connection broke: the service may or may not have handled the request. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/**
 * JSON over HTTP on the loopback interface, with keep-alive connections. Never uses a proxy: these requests must not
 * leave this machine.
 */
export class HttpClient {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

  /**
   * Sends a request and returns the parsed answer.
   * @throws ServiceError as in the answer; UNAVAILABLE `serviceNotResponding` after the timeout.
   * @throws ConnectionError; the signal's reason when it is aborted.
   */
  async send(connection: Connection, request: HttpRequest): Promise<unknown> {
    const { method, path, body, timeout, signal } = request;
    signal?.throwIfAborted();
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const outgoing = http.request(new URL(path, connection.endpoint), {
        method,
        agent: this.agent,
        headers: {
          authorization: `Bearer ${connection.token}`,
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': payload.length }),
        },
      });
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        settle();
        // Stops a request that is still running; has no effect on a completed one.
        outgoing.destroy();
      };
      const fail = (error: unknown): void => {
        finish(() => {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason may be any value
          reject(error);
        });
      };
      const abort = (): void => {
        fail(signal?.reason);
      };
      const timer = setTimeout(() => {
        fail(new ServiceError('UNAVAILABLE', 'serviceNotResponding', `no answer within ${timeout} ms`));
      }, timeout);
      signal?.addEventListener('abort', abort);
      const broken = (error: Error): void => {
        fail(new ConnectionError(error.message, { cause: error }));
      };
      outgoing.on('error', broken);
      outgoing.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', broken);
        response.once('close', () => {
          if (!response.complete) broken(new Error('the response was incomplete'));
        });
        response.once('end', () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        });
      });
      outgoing.end(payload);
    });
  }

  /** Closes the connections. */
  dispose(): void {
    this.agent.destroy();
  }
}

async function answerOf(code: number, text: string): Promise<unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (code >= 400) throw (await import('../execution/error-json')).fromErrorJson(code, body);
  if (code === 200 && body !== undefined) return body;
  throw new ServiceError('UNAVAILABLE', 'answerInvalid', `unexpected response with status ${code}`);
}
