import { gaxios, type GoogleAuth } from 'google-auth-library';
import * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import type { Credentials } from './credentials';
import { translateFailure, type Failure, type RequestContext } from './error-translation';

/** Time and chance, passed in so that tests need not wait. */
export interface RequestClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it is aborted before. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 up to 1. */
  random(): number;
}

export const systemRequestClock: RequestClock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(reasonOf(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  random: () => Math.random(),
};

/** Options of one attempt, as googleapis' methods and google-auth-library's `request` take them. */
export interface AttemptOptions {
  /** The credentials as they are now; they may be others in the next attempt. */
  readonly auth: GoogleAuth;
  readonly timeout: number;
  readonly retry: false;
  readonly signal?: AbortSignal;
}

/** One request with everything that repeats it: how often, how long. Times are milliseconds. */
export const POLICY = {
  attempts: 5,
  timeout: 30_000,
  firstDelay: 1000,
  longestDelay: 32_000,
  /** A service that asks for a longer wait gets it from the caller, who is not kept waiting for it. */
  longestRetryAfter: 60_000,
} as const;

const RETRIED_CODES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends requests with a time limit, abort, and retries on 408, 429, 5xx, broken connections and mutilated answers
 * (exponential backoff with jitter; `Retry-After` is honoured). Every request of ours may be repeated: creates carry
 * the caller's id, deletes and cancels are idempotent. Errors are ServiceErrors.
 */
export class RequestSender {
  constructor(
    readonly credentials: Credentials,
    readonly clock: RequestClock,
    private readonly timeout: number = POLICY.timeout,
  ) {}

  /**
   * @param schema what the answer must be; one that is not is asked for again, then rejected with `answerMalformed`
   * @param send one attempt; resolves to an object with the parsed answer as `data`
   */
  async send<T>(
    schema: z.ZodMiniType<T>,
    send: (options: AttemptOptions) => Promise<{ data: unknown }>,
    context: RequestContext = {},
    signal?: AbortSignal,
  ): Promise<T> {
    return this.retry(
      async (options) => {
        const { data } = await send(options);
        const result = schema.safeParse(data);
        if (!result.success) {
          throw new ServiceError(
            'UNAVAILABLE',
            'answerMalformed',
            result.error.message,
            {},
            { cause: result.error },
          );
        }
        return result.data;
      },
      context,
      signal,
    );
  }

  /** Repeats `attempt` as {@link send} does, for answers that are not JSON. */
  async retry<T>(
    attempt: (options: AttemptOptions, attempt: number) => Promise<T>,
    context: RequestContext = {},
    signal?: AbortSignal,
  ): Promise<T> {
    let renewed = false;
    for (let count = 1; ; count += 1) {
      signal?.throwIfAborted();
      try {
        const auth = await this.credentials.auth();
        return await attempt(
          { auth, timeout: this.timeout, retry: false, ...(signal === undefined ? {} : { signal }) },
          count,
        );
      } catch (error) {
        if (signal?.aborted === true) throw reasonOf(signal);
        const failure = failureOf(error);
        const translated =
          error instanceof ServiceError
            ? error
            : translateFailure(failure, { ...context, keyFile: this.credentials.keyFile }, this.clock.now());
        if (translated.status === 'UNAUTHENTICATED') {
          // The credentials may have been renewed meanwhile (a new login, another key): read them anew, once.
          this.credentials.forget();
          if (failure.status === 401 && !renewed) {
            renewed = true;
            continue;
          }
          throw translated;
        }
        const wait = this.waitBefore(count, translated, failure);
        if (wait === undefined) throw translated;
        await this.clock.sleep(wait, signal);
      }
    }
  }

  /** Milliseconds until the next attempt; undefined when there is none. */
  private waitBefore(count: number, error: ServiceError, failure: Failure): number | undefined {
    const broken = failure.status === undefined || error.reason === 'answerMalformed';
    const retried = broken || RETRIED_CODES.has(failure.status);
    // A used-up quota does not come back within seconds, unless the service says when.
    const hopeless = error.reason === 'quotaExceeded' && error.args['retryAfter'] === undefined;
    if (!retried || hopeless || count >= POLICY.attempts) return undefined;
    const asked = Number(error.args['retryAfter'] ?? 0) * 1000;
    if (asked > POLICY.longestRetryAfter) return undefined;
    const backoff = Math.min(POLICY.longestDelay, POLICY.firstDelay * 2 ** (count - 1));
    return Math.max(asked, backoff * (0.5 + this.clock.random() / 2));
  }
}

/** What an attempt's error says of the answer or the connection. Credentials that cannot be read are ServiceErrors already. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof gaxios.GaxiosError)) {
    return { message: messageOf(error), code: codeOf(error), cause: error, status: undefined };
  }
  const response = error.response;
  return {
    status: response?.status ?? error.status,
    body: bodyOf(response?.data),
    retryAfter: response?.headers.get('retry-after'),
    code: codeOf(error),
    host: hostOf(error),
    message: messageOf(error),
    cause: error,
  };
}

/** Bodies of failed downloads arrive as text. */
function bodyOf(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

const CodeSchema = z.object({ code: z.string() });

/** The system error code at the bottom of a chain of causes. */
function codeOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each.name === 'TimeoutError') return 'TimeoutError';
    const result = CodeSchema.safeParse(each);
    if (result.success && result.data.code !== '') return result.data.code;
  }
  return undefined;
}

function hostOf(error: gaxios.GaxiosError): string | undefined {
  const url: unknown = error.config.url;
  return url instanceof URL ? url.host : undefined;
}

function messageOf(error: unknown): string {
  const messages: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    if (!messages.includes(each.message)) messages.push(each.message);
  }
  return messages.join(': ');
}

/** An aborted signal rejects with its reason, which need not be an Error. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError');
}
