import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HTTP_CODES, type StatusName } from '../../../src/execution/errors';
import { Discovery, type CheckedCall } from './discovery';
import { Faults, sendAnswer } from './faults';
import { listen, readBody } from './http';
import type { TokenDouble } from './token-double';

/** A received request. */
export interface RecordedRequest {
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

/** An error in Google's format. */
export class ApiError extends Error {
  constructor(
    readonly status: StatusName,
    message: string,
    readonly details: readonly unknown[] = [],
  ) {
    super(message);
  }
}

/**
 * A loopback server for one of Google's APIs. Every request and every response is checked against the API's discovery
 * document. Violations are collected in `problems`.
 */
export abstract class ApiDouble {
  readonly requests: RecordedRequest[] = [];
  readonly problems: string[] = [];
  readonly faults = new Faults();
  endpoint = '';
  protected readonly discovery: Discovery;
  private readonly server: Server;

  /** For example `aiplatform.googleapis.com`. */
  private readonly service: string;

  constructor(
    api: string,
    private readonly tokens: TokenDouble,
  ) {
    this.service = `${api.split('.')[0] ?? ''}.googleapis.com`;
    this.discovery = new Discovery(api);
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        this.problems.push(String(error));
        response.destroy();
      });
    });
  }

  async start(): Promise<void> {
    this.endpoint = await listen(this.server);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Number of requests whose method id matches. */
  count(method: RegExp): number {
    return this.requests.filter(({ id }) => method.test(id)).length;
  }

  /** Returns the response; throws ApiError. */
  protected abstract handle(call: CheckedCall, body: unknown): unknown;

  /** Checks the quota project of a request (Cloud API documentation, "System parameters", `X-Goog-User-Project`). */
  private checkQuotaProject({ headers }: IncomingMessage): void {
    const project = headers['x-goog-user-project'];
    const refuse = (reason: string, consumer: string, message: string): never => {
      const metadata = { consumer: `projects/${consumer}`, service: this.service };
      const type = 'type.googleapis.com/google.rpc.ErrorInfo';
      throw new ApiError('PERMISSION_DENIED', message, [
        { '@type': type, reason, domain: 'googleapis.com', metadata },
      ]);
    };
    if (project === undefined && this.tokens.isPersonal(headers.authorization)) {
      // According to public reports, the consumer is gcloud's own project.
      const message = `${this.service} has not been used in project 764086051850 before or it is disabled.`;
      refuse('SERVICE_DISABLED', '764086051850', message);
    }
    if (project === 'forbidden-project') {
      const message = `Caller does not have required permission to use project ${project}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission.`;
      refuse('USER_PROJECT_DENIED', project, message);
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.endpoint);
    const text = (await readBody(request)).toString();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const call = this.discovery.check(request.method ?? '', url, body);
    if (call === undefined) {
      this.problems.push(`no such method: ${request.method ?? ''} ${url.pathname}`);
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html>Not Found</html>');
      return;
    }
    this.requests.push({
      id: call.id,
      query: Object.fromEntries(url.searchParams),
      body,
      headers: request.headers,
    });
    this.problems.push(...call.problems);
    const misfortune = this.faults.take(call.id);
    if (misfortune?.kind === 'reset') {
      response.destroy();
      return;
    }
    const json = { 'content-type': 'application/json; charset=UTF-8' };
    if (misfortune?.kind === 'answer') {
      const content =
        typeof misfortune.body === 'string' ? misfortune.body : JSON.stringify(misfortune.body ?? {});
      await sendAnswer(response, misfortune.status, content, { ...json, ...misfortune.headers }, undefined);
      return;
    }
    let status = 200;
    let answer: unknown;
    try {
      if (!this.tokens.isValid(request.headers.authorization))
        throw new ApiError('UNAUTHENTICATED', 'Request had invalid authentication credentials.');
      this.checkQuotaProject(request);
      if (call.problems.length > 0) throw new ApiError('INVALID_ARGUMENT', call.problems.join('; '));
      answer = this.handle(call, body);
      if (call.answer !== undefined) {
        this.problems.push(
          ...this.discovery.checkValue(call.answer, answer, 'answer').map((each) => `answer: ${each}`),
        );
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      status = HTTP_CODES[error.status];
      answer = {
        error: { code: status, message: error.message, status: error.status, details: error.details },
      };
    }
    await sendAnswer(response, status, JSON.stringify(answer), json, misfortune);
  }
}
