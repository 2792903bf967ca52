import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { withoutTokens } from '../requests/failure';

/** The command that renews application default credentials. */
export const LOGIN_COMMAND = 'gcloud auth application-default login';

/** Where the credentials come from; this determines how the user can fix them. */
export type CredentialsOrigin =
  /** The setting `notebookExecutions.google.keyFile`. */
  | { readonly kind: 'keyFile'; readonly path: string }
  /** The environment variable GOOGLE_APPLICATION_CREDENTIALS. */
  | { readonly kind: 'variable'; readonly path: string }
  /** The login of gcloud. */
  | { readonly kind: 'login' }
  /** The metadata server of a machine on Google Cloud. */
  | { readonly kind: 'machine' };

/** Args for sentences and buttons: how the user can fix credentials of this origin. */
export function remedyArgs(origin: CredentialsOrigin): Record<string, string> {
  switch (origin.kind) {
    case 'keyFile':
      return { path: origin.path };
    case 'variable':
      return { path: origin.path, variable: 'GOOGLE_APPLICATION_CREDENTIALS' };
    case 'login':
      return { command: LOGIN_COMMAND };
    case 'machine':
      return {};
  }
}

/** Credentials that Google no longer accepts: `credentialsInvalid`, `credentialsExpired` or `credentialsUnusable`. */
export function refusedCredentials(
  origin: CredentialsOrigin,
  message: string,
  options: ErrorOptions,
  /** Only used if the origin is a login. */
  reason: 'credentialsExpired' | 'credentialsRevoked' = 'credentialsExpired',
): ServiceError {
  const args = remedyArgs(origin);
  switch (origin.kind) {
    case 'keyFile':
    case 'variable':
      return new ServiceError(
        'UNAUTHENTICATED',
        'credentialsInvalid',
        message,
        { ...args, problem: message },
        options,
      );
    case 'login':
      return new ServiceError('UNAUTHENTICATED', reason, message, args, options);
    case 'machine':
      return unusableCredentials(origin, message, options);
  }
}

/** Credentials that cannot be used; `problem` says why. A retry would not help. */
export function unusableCredentials(
  origin: CredentialsOrigin,
  problem: string,
  options: ErrorOptions = {},
): ServiceError {
  const args = { ...remedyArgs(origin), problem };
  return new ServiceError('UNAUTHENTICATED', 'credentialsUnusable', problem, args, options);
}

/** An error answer of a token endpoint (RFC 6749 5.2). */
const TokenErrorSchema = z.object({
  error: z.string(),
  error_description: z._default(z.string(), ''),
  error_subtype: z._default(z.string(), ''),
});
export type TokenError = z.infer<typeof TokenErrorSchema>;

/** HTTP codes that mean that a service is down or busy, whatever the body contains. */
export function isOutage(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** The error in a token endpoint's answer; undefined if the answer is not such an error. */
export function tokenErrorOf(status: number | undefined, body: unknown): TokenError | undefined {
  if (status === undefined || isOutage(status)) return undefined;
  const result = TokenErrorSchema.safeParse(body);
  return result.success ? result.data : undefined;
}

/** The ServiceError for a token endpoint's error answer. */
export function refusedToken(
  token: TokenError,
  origin: CredentialsOrigin,
  options: ErrorOptions,
): ServiceError {
  const said = withoutTokens(
    `${token.error} ${token.error_subtype} ${token.error_description}`.replace(/\s+/g, ' ').trim(),
  );
  if (/\b(?:iat|exp)\b|short-lived|clock/i.test(token.error_description))
    return new ServiceError('UNAUTHENTICATED', 'clockSkewed', said, {}, options);

  const again = /invalid_rapt|rapt_required|reauth/i.test(said);
  return refusedCredentials(origin, said, options, again ? 'credentialsExpired' : 'credentialsRevoked');
}
