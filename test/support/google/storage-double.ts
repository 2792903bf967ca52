import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { freePort, kill } from '../processes';
import { VENV_PYTHON } from '../python';
import { Discovery } from './discovery';
import { Faults, sendAnswer } from './faults';
import { listen, readBody } from './http';
import type { TokenDouble } from './token-double';

/**
 * For requests to the emulator: its queue of connections is so short that the system drops those of a crowd, whose
 * retries take seconds to minutes.
 */
const EMULATOR_AGENT = new Agent({ maxSockets: 4 });

/** A received request. */
export interface StorageRequest {
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
}

/**
 * Cloud Storage: the emulator of the PyPI package gcp-storage-emulator, behind a server that checks every request
 * against the discovery document, requires a valid token, and adds what the emulator lacks: `ifGenerationMatch=0` and
 * locations.
 */
export class StorageDouble {
  readonly requests: StorageRequest[] = [];
  readonly problems: string[] = [];
  readonly faults = new Faults();
  /** Locations of buckets; `US-CENTRAL1` if absent. */
  readonly locations = new Map<string, string>();
  endpoint = '';
  private readonly discovery = new Discovery('storage.v1');
  private readonly server: Server;
  private emulator: ChildProcess | undefined;
  private emulatorUrl = '';

  constructor(private readonly tokens: TokenDouble) {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        this.problems.push(String(error));
        response.destroy();
      });
    });
  }

  async start(): Promise<void> {
    const port = await freePort();
    const emulator = spawn(
      VENV_PYTHON,
      [
        '-m',
        'gcp_storage_emulator',
        'start',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--in-memory',
        '-q',
      ],
      { stdio: 'ignore' },
    );
    this.emulator = emulator;
    this.emulatorUrl = `http://127.0.0.1:${String(port)}/`;
    await this.awaitEmulator(emulator);
    this.endpoint = await listen(this.server);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    const { emulator } = this;
    if (emulator?.pid === undefined || emulator.exitCode !== null) return;
    kill(emulator.pid);
    await once(emulator, 'exit');
  }

  async createBucket(name: string): Promise<void> {
    await this.direct('POST', 'storage/v1/b?project=my-project', JSON.stringify({ name }));
  }

  /** Writes an object directly, as another client would. */
  async put(uri: string, content: Buffer): Promise<void> {
    const [bucket, name] = parts(uri);
    const query = new URLSearchParams({ uploadType: 'media', name }).toString();
    await this.direct('POST', `upload/storage/v1/b/${bucket}/o?${query}`, content);
  }

  async get(uri: string): Promise<Buffer> {
    const [bucket, name] = parts(uri);
    return this.direct('GET', `storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`);
  }

  /** Names of all objects of a bucket. */
  async names(bucket: string): Promise<string[]> {
    const answer = JSON.parse((await this.direct('GET', `storage/v1/b/${bucket}/o`)).toString()) as {
      items?: { name: string }[];
    };
    return (answer.items ?? []).map(({ name }) => name).sort();
  }

  private async direct(method: string, path: string, body?: string | Buffer): Promise<Buffer> {
    const request = httpRequest(`${this.emulatorUrl}${path}`, {
      method,
      agent: EMULATOR_AGENT,
      headers: { 'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream' },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const content = await readBody(response);
    if ((response.statusCode ?? 500) >= 300)
      throw new Error(`The emulator answered ${String(response.statusCode)} to ${method} ${path}`);
    return content;
  }

  private async awaitEmulator(emulator: ChildProcess): Promise<void> {
    while (emulator.exitCode === null) {
      try {
        await fetch(this.emulatorUrl);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error('The storage emulator did not start.');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.endpoint);
    const body = await readBody(request);
    // Chunks of an upload go to the session's URI, which the discovery document does not describe.
    const isChunk = url.searchParams.has('upload_id');
    const isJson = request.headers['content-type']?.startsWith('application/json') === true;
    const parsed: unknown = isJson && body.length > 0 ? JSON.parse(body.toString()) : undefined;
    const call = isChunk ? undefined : this.discovery.check(request.method ?? '', url, parsed);
    const id = call?.id ?? (isChunk ? `upload.${request.method ?? ''}` : 'unknown');
    if (call === undefined && !isChunk)
      this.problems.push(`no such method: ${request.method ?? ''} ${url.pathname}`);
    this.problems.push(...(call?.problems ?? []));
    this.requests.push({ id, query: Object.fromEntries(url.searchParams), headers: request.headers });
    const misfortune = this.faults.take(id);
    if (misfortune?.kind === 'reset') {
      response.destroy();
      return;
    }
    const json = { 'content-type': 'application/json' };
    if (misfortune?.kind === 'answer') {
      const content = JSON.stringify(misfortune.body ?? {});
      await sendAnswer(response, misfortune.status, content, { ...json, ...misfortune.headers }, undefined);
      return;
    }
    if (!this.tokens.isValid(request.headers.authorization)) {
      await sendAnswer(response, 401, errorBody(401, 'Invalid Credentials'), json, undefined);
      return;
    }
    const { bucket, name } = this.target(url);
    if (bucket !== undefined && (await this.status(`storage/v1/b/${bucket}`)) === 404) {
      await sendAnswer(
        response,
        404,
        errorBody(404, 'The specified bucket does not exist.'),
        json,
        undefined,
      );
      return;
    }
    if (url.searchParams.get('ifGenerationMatch') === '0' && bucket !== undefined && name !== undefined) {
      if ((await this.status(`storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`)) === 200) {
        const message = 'At least one of the pre-conditions you specified did not hold.';
        await sendAnswer(response, 412, errorBody(412, message), json, undefined);
        return;
      }
    }
    const [status, headers, content] = await this.forward(request, url, body);
    // If nothing was received, the emulator reports one byte. Cloud Storage sends no Range header then.
    if (status === 308 && headers['range'] === 'bytes=0-0') delete headers['range'];
    const location = headers['location'];
    if (location !== undefined) headers['location'] = location.replace(this.emulatorUrl, this.endpoint);
    const answer = call?.id === 'storage.buckets.get' ? this.withLocation(content, bucket ?? '') : content;
    await sendAnswer(response, status, answer, headers, misfortune);
  }

  private target(url: URL): { bucket?: string; name?: string } {
    const [, bucket, object] = /\/b\/([^/]+)(?:\/o(?:\/([^/]+))?)?$/.exec(url.pathname) ?? [];
    const name = object === undefined ? url.searchParams.get('name') : decodeURIComponent(object);
    return { ...(bucket === undefined ? {} : { bucket }), ...(name === null ? {} : { name }) };
  }

  private withLocation(content: Buffer, bucket: string): string {
    const answer = JSON.parse(content.toString()) as Record<string, unknown>;
    return JSON.stringify({ ...answer, location: this.locations.get(bucket) ?? 'US-CENTRAL1' });
  }

  private async status(path: string): Promise<number> {
    return (await fetch(`${this.emulatorUrl}${path}`)).status;
  }

  private async forward(
    request: IncomingMessage,
    url: URL,
    body: Buffer,
  ): Promise<[number, Record<string, string>, Buffer]> {
    const headers = {
      ...request.headers,
      host: new URL(this.emulatorUrl).host,
      'content-length': String(body.length),
    };
    delete headers['transfer-encoding'];
    const sent = httpRequest(new URL(`${url.pathname}${url.search}`, this.emulatorUrl), {
      method: request.method,
      agent: EMULATOR_AGENT,
      headers,
    });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const content = await readBody(answer);
    const kept = ['content-type', 'location', 'range', 'content-range', 'content-encoding'];
    return [
      answer.statusCode ?? 500,
      Object.fromEntries(
        kept.flatMap((name) =>
          typeof answer.headers[name] === 'string' ? [[name, answer.headers[name]]] : [],
        ),
      ),
      content,
    ];
  }
}

function errorBody(code: number, message: string): string {
  const reason = code === 404 ? 'notFound' : code === 412 ? 'conditionNotMet' : 'authError';
  return JSON.stringify({ error: { code, message, errors: [{ message, domain: 'global', reason }] } });
}

function parts(uri: string): [bucket: string, name: string] {
  const match = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri);
  return [match?.[1] ?? '', match?.[2] ?? ''];
}
