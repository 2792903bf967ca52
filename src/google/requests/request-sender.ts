import type { GoogleAuth } from 'google-auth-library';
import type * as z from 'zod/mini';
import { HTTP_CODES, ServiceError } from '../../execution/errors';
import type { Credentials } from '../credentials/credentials';
import { translateFailure, type RequestContext } from './error-translation';
import { failureOf } from './failure';

/** Time and random numbers, passed in so that tests need not wait. */
export interface RequestClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason if it is aborted before. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Random number from 0 up to 1. */
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

/** Options of one attempt, for googleapis' methods and google-auth-library's `request`. */
export interface AttemptOptions {
  /** The current credentials; the next attempt may have others. */
  readonly auth: GoogleAuth;
  readonly timeout: number;
  readonly retry: false;
  readonly signal?: AbortSignal;
}

/** Retry policy of one request. Times are milliseconds. */
export const POLICY = {
  attempts: 5,
  timeout: 30_000,
  firstDelay: 1000,
  longestDelay: 32_000,
  /** If a service asks for a longer wait, the request fails at once instead of waiting. */
  longestRetryAfter: 60_000,
} as const;

const RETRIED_CODES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends requests with a time limit, abort, and retries on 408, 429, 5xx, broken connections and invalid answers
 * (exponential backoff with jitter; respects `Retry-After`). Every request is safe to repeat: creates contain the
 * caller's id, deletes and cancels are idempotent. Errors are ServiceErrors.
 */
export class RequestSender {
  constructor(
    readonly credentials: Credentials,
    readonly clock: RequestClock,
    private readonly timeout: number = POLICY.timeout,
  ) {}

  /**
   * @param schema of the answer; after an invalid answer the request is repeated, then rejected with `answerMalformed`
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

  /** Retries `attempt` like {@link send}, for answers that are not JSON. */
  async retry<T>(
    attempt: (options: AttemptOptions, attempt: number) => Promise<T>,
    context: RequestContext = {},
    signal?: AbortSignal,
  ): Promise<T> {
    let renewed = false;
    for (let count = 1; ; count += 1) {
      signal?.throwIfAborted();
      try {
        const auth = await unlessAborted(this.credentials.auth(), signal);
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
            : translateFailure(
                failure,
                { ...context, credentials: this.credentials.origin },
                this.clock.now(),
              );
        if (translated.status === 'UNAUTHENTICATED') {
          // The credentials may have changed meanwhile (a new login, another key): read them again, once.
          this.credentials.forget();
          if (failure.status === 401 && !renewed) {
            renewed = true;
            continue;
          }
          throw translated;
        }
        // The user fixes this with a command or in a file, so the next request must read the credentials again.
        if (translated.reason.startsWith('quotaProject')) this.credentials.forget();
        // An error of the credentials or of an answer: its status tells what its HTTP code would.
        const { status } = error instanceof ServiceError ? { status: HTTP_CODES[error.status] } : failure;
        const wait = this.waitBefore(count, translated, status);
        if (wait === undefined) throw translated;
        await this.clock.sleep(wait, signal);
      }
    }
  }

  /**
   * Milliseconds until the next attempt; undefined if there is none.
   * @param status HTTP code; undefined if no answer came
   */
  private waitBefore(count: number, error: ServiceError, status: number | undefined): number | undefined {
    const retried = status === undefined || RETRIED_CODES.has(status);
    // An exhausted quota does not recover within seconds, unless the service says when.
    const hopeless = error.reason === 'quotaExceeded' && error.args['retryAfter'] === undefined;
    if (!retried || hopeless || count >= POLICY.attempts) return undefined;
    const asked = Number(error.args['retryAfter'] ?? 0) * 1000;
    if (asked > POLICY.longestRetryAfter) return undefined;
    const backoff = Math.min(POLICY.longestDelay, POLICY.firstDelay * 2 ** (count - 1));
    return Math.max(asked, backoff * (0.5 + this.clock.random() / 2));
  }
}

/** The result; rejects if the signal is aborted first. */
async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  const over = new AbortController();
  try {
    return await Promise.race([
      result,
      new Promise<never>((_, reject) => {
        signal.addEventListener(
          'abort',
          () => {
            reject(reasonOf(signal));
          },
          { once: true, signal: over.signal },
        );
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** The reason of an aborted signal as an Error: the reason may be any value. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError');
}
