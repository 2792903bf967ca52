import { gaxios } from 'google-auth-library';
import * as z from 'zod/mini';

/** A failed request: an HTTP error answer, or a broken connection. */
export interface Failure {
  /** HTTP code; undefined if no answer came. */
  readonly status?: number | undefined;
  /** Parsed body of the answer. */
  readonly body?: unknown;
  readonly retryAfter?: string | null | undefined;
  /** System error code (`ECONNRESET`) or name of a DOMException (`TimeoutError`). */
  readonly code?: string | undefined;
  /** Host of the request; undefined if the failure was not a request. */
  readonly host?: string | undefined;
  readonly message: string;
  /** The error without secrets. */
  readonly cause: unknown;
}

/**
 * Extracts the answer or the connection error from an attempt's error. Unreadable credentials are already
 * ServiceErrors.
 */
export function failureOf(error: unknown): Failure {
  const cause = withoutRequest(error);
  if (!isRequestError(error))
    return { message: messageOf(error), code: codeOf(error), cause, status: undefined };

  const response = error.response;
  return {
    status: response?.status ?? error.status,
    body: bodyOf(response?.data),
    retryAfter: response?.headers.get('retry-after'),
    code: codeOf(error),
    host: hostOf(error),
    message: messageOf(error),
    cause,
  };
}

/**
 * Whether it is a failed request: the library's own class, or the plain error into which it converts a failed token
 * request.
 */
function isRequestError(error: unknown): error is gaxios.GaxiosError {
  return (
    error instanceof gaxios.GaxiosError ||
    (error instanceof Error && 'config' in error && 'response' in error)
  );
}

/** An error without its request and answer: these contain tokens in headers and bodies. */
function withoutRequest(error: unknown): Error {
  const bare = new Error(messageOf(error));
  if (error instanceof Error) {
    bare.name = error.name;
    if (error.stack !== undefined) bare.stack = withoutTokens(error.stack);
  }
  return bare;
}

/** Google's access tokens, JSON web tokens, the word after `Bearer`, and secrets in JSON that a program has printed. */
const TOKENS =
  /\bya29\.[\w.-]+|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?<=\bBearer\s)\S+|(?<="(?:\w*_token|saml_response|\w*secret|private_key)"\s*:\s*")[^"]+/g;

/** The text with its tokens replaced. */
export function withoutTokens(text: string): string {
  return text.replace(TOKENS, '[token]');
}

/** Bodies of failed downloads are text instead of parsed JSON. */
function bodyOf(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

const CodeSchema = z.object({ code: z.string() });

/** The first system error code in a chain of causes. */
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
  for (let each = error; each instanceof Error; each = each.cause)
    if (!messages.includes(each.message)) messages.push(each.message);

  return withoutTokens(messages.join(': '));
}
