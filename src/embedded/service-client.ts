import { ServiceError } from '../execution/errors';
import type { ServiceInfo } from '../execution/machine';
import { ConnectionError, HttpClient, type HttpRequest } from './http-client';
import { ServiceLocator, type LocatorOptions } from './service-locator';

/** Most times that a request is sent. */
const ATTEMPTS = 3;

/** Sends requests to the embedded service. The first request finds or starts the service. */
export class ServiceClient {
  private readonly http = new HttpClient();
  private readonly locator: ServiceLocator;

  constructor(options: LocatorOptions) {
    this.locator = new ServiceLocator(options, this.http);
  }

  /**
   * Sends a request. If the connection fails, finds or starts a service and repeats the request: every request is safe
   * to repeat.
   * @returns the JSON of the answer. @throws ServiceError, as the service or {@link ServiceLocator.connect} reports it.
   */
  async send(request: HttpRequest): Promise<unknown> {
    const { signal } = request;
    for (let attempt = 1; ; attempt++) {
      const connection = await abortable(this.locator.connect(), signal);
      try {
        return await this.http.send(connection, request);
      } catch (error) {
        // The token of a previous service: another service listens there now.
        const stale = error instanceof ServiceError && error.reason === 'tokenInvalid';
        if (!(error instanceof ConnectionError) && !stale) throw error;
        this.locator.forget();
        if (attempt < ATTEMPTS) continue;
        throw new ServiceError('UNAVAILABLE', 'serviceNotReachable', error.message, {}, { cause: error });
      }
    }
  }

  /** Information about the running service, or undefined if none runs; does not start one. */
  async info(): Promise<ServiceInfo | undefined> {
    return (await this.locator.find())?.info;
  }

  /** Ends the service, if it runs, and starts a new one; kills a service that hangs. Executions keep running. */
  async restart(): Promise<void> {
    await this.locator.restart();
  }

  /** Ends the service, if it runs. Executions keep running; the next request starts the service again. */
  async stop(): Promise<void> {
    await this.locator.stop();
  }

  /** Closes the connections; the service keeps running. */
  dispose(): void {
    this.http.dispose();
  }
}

/** Rejects when the signal is aborted, without ending the work, which other callers may be waiting for. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason may be any value
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
