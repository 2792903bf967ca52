import * as z from 'zod/mini';
import { HTTP_CODES, ServiceError, type StatusName } from '../../execution/errors';
import { executionIdOf } from '../../execution/execution-name';
import { withoutTokens, type Failure } from './failure';
import {
  isOutage,
  refusedCredentials,
  refusedToken,
  tokenErrorOf,
  unusableCredentials,
  type CredentialsOrigin,
} from '../credentials/credentials-errors';

/*
 * Google's errors translated to what the user can do about them. Sources: API Design Guide ("Errors"),
 * google/rpc/error_details.proto, google/api/error_reason.proto, Cloud Storage JSON API ("HTTP status and error
 * codes"), and, for messages without details, public bug reports. Errors of credentials: credentials/credentials-errors.ts.
 *
 * Reasons and their args:
 *   apiNotEnabled {service, url}                  permissionDenied {permission, resource, role, url}
 *   actAsMissing {serviceAccount, url}            projectNotFound {project}
 *   billingDisabled {project, url}                regionWithoutService {location}
 *   bucketNotFound {bucket}                       bucketWrongRegion {bucket, location}
 *   objectNotFound {uri}                          quotaExceeded {quota}
 *   rateLimited {retryAfter}                      fieldInvalid {field}
 *   executionNotFound {executionId}               alreadyExists {executionId}
 *   serviceUnavailable {service, retryAfter}      referenceNotFound {problem}
 *   quotaProjectMissing {service, command}        quotaProjectDenied {project, url}
 *   credentialsMissing | credentialsExpired | credentialsRevoked {command}
 *   credentialsInvalid {path, variable, problem}         credentialsUnusable {problem}
 *   clockSkewed                                   hostUnreachable {host}
 *   timedOut {host}                               answerMalformed
 *   serviceError
 */

/** What a request was about, for the args of its error. */
export interface RequestContext {
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  /** Resource name of the execution. */
  readonly name?: string | undefined;
  readonly bucket?: string | undefined;
  /** `gs://` URI of an object. */
  readonly object?: string | undefined;
  readonly serviceAccount?: string | undefined;
  /** Where the credentials come from; gcloud's login when absent. */
  readonly credentials?: CredentialsOrigin | undefined;
  /** Permission that the request needs, and a role that has it: some errors do not name them. */
  readonly permission?: string | undefined;
  readonly role?: string | undefined;
  /** The request creates the execution: NOT_FOUND then refers to a resource that it names. */
  readonly creates?: boolean | undefined;
}

/**
 * Projects of Google's own command-line tools. Requests that are counted against them come from credentials without a
 * quota project.
 */
const TOOLS_PROJECTS: ReadonlySet<string> = new Set(['764086051850', '32555940559']);

const DetailSchema = z.object({
  '@type': z._default(z.string(), ''),
  reason: z.optional(z.string()),
  metadata: z.optional(z.record(z.string(), z.string())),
  retryDelay: z.optional(z.string()),
  violations: z.optional(
    z.array(z.object({ subject: z.optional(z.string()), description: z.optional(z.string()) })),
  ),
  fieldViolations: z.optional(z.array(z.object({ field: z.optional(z.string()) }))),
});
type Detail = z.infer<typeof DetailSchema>;

const ApiErrorSchema = z.object({
  error: z.object({
    code: z.optional(z.number()),
    message: z._default(z.string(), ''),
    status: z.optional(z.string()),
    details: z._default(z.array(z.unknown()), []),
    errors: z._default(z.array(z.object({ reason: z.optional(z.string()) })), []),
  }),
});

/** The ServiceError of a failed request. `now` (milliseconds) is for a `Retry-After` given as a date. */
export function translateFailure(failure: Failure, context: RequestContext, now: number): ServiceError {
  const { cause } = failure;
  const origin = context.credentials ?? { kind: 'login' };
  const token = tokenErrorOf(failure.status, failure.body);
  if (token !== undefined) return refusedToken(token, origin, { cause });
  if (failure.status === undefined) return connectionError(failure);
  const parsed = ApiErrorSchema.safeParse(failure.body);
  const answer = parsed.success
    ? parsed.data.error
    : { message: '', status: undefined, details: [], errors: [], code: undefined };
  const details = answer.details.flatMap((detail) => {
    const result = DetailSchema.safeParse(detail);
    return result.success ? [result.data] : [];
  });
  const status = statusOf(answer.status, failure.status);
  const message = answer.message === '' ? `HTTP ${String(failure.status)}` : withoutTokens(answer.message);
  if (status === 'UNAUTHENTICATED') return refusedCredentials(origin, message, { cause });
  const [reason, args] = explain(status, message, details, answer.errors, context, failure, parsed.success);
  const retryAfter = retryAfterSeconds(failure.retryAfter, details, now);
  return new ServiceError(
    status,
    reason,
    message,
    defined({ ...args, retryAfter: retryAfter === undefined ? undefined : String(retryAfter) }),
    { cause: failure.cause },
  );
}

type Args = Readonly<Record<string, string | undefined>>;

function explain(
  status: StatusName,
  message: string,
  details: readonly Detail[],
  errors: readonly { reason?: string | undefined }[],
  context: RequestContext,
  failure: Failure,
  readable: boolean,
): [string, Args] {
  // Resource names (projects/my-project/…) contain words that say nothing about the problem.
  const prose = message.replace(/\S*\/\S*/g, '');
  const info = details.find((detail) => detail.reason !== undefined);
  const metadata = info?.metadata ?? {};
  const reason = info?.reason ?? errors[0]?.reason;
  const project = metadata['consumer']?.replace(/^projects\//, '') ?? context.project;

  if (
    /requires a quota project/i.test(message) ||
    (reason === 'SERVICE_DISABLED' && project !== undefined && TOOLS_PROJECTS.has(project))
  ) {
    const service = metadata['service'] ?? failure.host;
    return ['quotaProjectMissing', { service, command: quotaCommand(context.project) }];
  }
  if (reason === 'USER_PROJECT_DENIED') {
    // The project that the requests are counted against may differ from the project of the execution.
    return ['quotaProjectDenied', { project, url: iamPage(project) }];
  }
  if (reason === 'SERVICE_DISABLED' || reason === 'accessNotConfigured') {
    const service = metadata['service'] ?? failure.host;
    const url =
      metadata['activationUrl'] ??
      `https://console.cloud.google.com/apis/library/${service ?? ''}?project=${project ?? ''}`;
    return ['apiNotEnabled', { service, url, project }];
  }
  if (reason === 'BILLING_DISABLED') {
    const url = `https://console.cloud.google.com/billing/linkedaccount?project=${project ?? ''}`;
    return ['billingDisabled', { project, url }];
  }
  const actAs = /iam\.serviceAccounts\.actAs|permission to act as service[ _]account/i;
  if (actAs.test(message) || metadata['permission'] === 'iam.serviceAccounts.actAs') {
    const serviceAccount =
      /[\w.-]+@[\w.-]+\.gserviceaccount\.com/.exec(message)?.[0] ?? context.serviceAccount;
    const url = `https://console.cloud.google.com/iam-admin/serviceaccounts?project=${encodeURIComponent(context.project ?? '')}`;
    return ['actAsMissing', { serviceAccount, url }];
  }
  if (
    reason === 'CONSUMER_INVALID' ||
    reason === 'RESOURCE_PROJECT_INVALID' ||
    /(?<![\w-])project(?![\w-])[^.]*(?:not found|does not exist|deleted)/i.test(prose)
  )
    return ['projectNotFound', { project: context.project ?? project }];

  if (/\bbucket\b/i.test(message)) {
    const bucket = context.bucket ?? /gs:\/\/([^/\s'"]+)/.exec(message)?.[1];
    if (/not exist|not found/i.test(message)) return ['bucketNotFound', { bucket }];
    if (/\b(?:region|location)\b/i.test(message))
      return ['bucketWrongRegion', { bucket, location: context.location }];
  }
  if (
    reason === 'LOCATION_POLICY_VIOLATED' ||
    /\b(?:location|region)\b[^.]*(?:not (?:found|supported|available|valid)|unsupported|invalid)|unsupported (?:location|region)/i.test(
      prose,
    )
  )
    return ['regionWithoutService', { location: context.location }];

  switch (status) {
    case 'PERMISSION_DENIED':
      return [
        'permissionDenied',
        {
          permission: permissionOf(message, metadata) ?? context.permission,
          resource: metadata['resource'],
          project,
          ...(context.role === undefined ? {} : { role: context.role, url: iamPage(project) }),
        },
      ];
    case 'RESOURCE_EXHAUSTED': {
      const violation = details.flatMap((detail) => detail.violations ?? [])[0];
      const quota = metadata['quota_metric'] ?? violation?.subject ?? violation?.description;
      return quota !== undefined || /quota/i.test(message)
        ? ['quotaExceeded', { quota: quota ?? message, project }]
        : ['rateLimited', {}];
    }
    case 'NOT_FOUND':
      if (context.object !== undefined) return ['objectNotFound', { uri: context.object }];
      // An answer that is not Google's JSON comes from a front end that does not serve this region.
      if (!readable) return ['regionWithoutService', { location: context.location }];
      if (context.creates === true) return ['referenceNotFound', { problem: message }];
      return ['executionNotFound', { executionId: idOf(context) }];
    case 'ALREADY_EXISTS':
      return ['alreadyExists', { executionId: idOf(context) }];
    case 'INVALID_ARGUMENT': {
      const field = details.flatMap((detail) => detail.fieldViolations ?? [])[0]?.field;
      return field === undefined ? ['serviceError', {}] : ['fieldInvalid', { field }];
    }
    case 'INTERNAL':
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return ['serviceUnavailable', { service: failure.host }];
    default:
      return ['serviceError', {}];
  }
}

/** The console's page of the roles in a project. */
function iamPage(project = ''): string {
  return `https://console.cloud.google.com/iam-admin/iam?project=${encodeURIComponent(project)}`;
}

function idOf({ name }: RequestContext): string | undefined {
  return name === undefined ? undefined : executionIdOf(name);
}

/**
 * The command that sets a quota project for gcloud's login. The user runs it in a terminal, so a name with unexpected
 * characters is replaced by a placeholder.
 */
function quotaCommand(project: string | undefined): string {
  const name = project !== undefined && /^[a-z0-9][a-z0-9.:-]*$/.test(project) ? project : 'PROJECT';
  return `gcloud auth application-default set-quota-project ${name}`;
}

/** `Permission 'a.b.c' denied`, `does not have a.b.c access`, `lacks IAM permission "a.b.c"`. */
function permissionOf(message: string, metadata: Readonly<Record<string, string>>): string | undefined {
  return (
    metadata['permission'] ??
    /['"`]([a-z]\w*\.\w+\.\w+)['"`]/.exec(message)?.[1] ??
    /\b([a-z]\w*\.[a-zA-Z]+\.[a-z]\w*)\s+(?:access|permission)/.exec(message)?.[1]
  );
}

/** The ServiceError of a failure to get a token: an outage, which can be retried, or unusable credentials. */
export function translateTokenFailure(
  failure: Failure,
  origin: CredentialsOrigin,
  now: number,
): ServiceError {
  const { status, body, message, cause } = failure;
  if (status === undefined) {
    // Without a host it was not a request that failed, but a file, a program or a setting of the credentials.
    return failure.host === undefined
      ? unusableCredentials(origin, message, { cause })
      : connectionError(failure);
  }
  // Service accounts are impersonated by an API of Google Cloud, which explains its refusals.
  if (isOutage(status) || (status !== 401 && ApiErrorSchema.safeParse(body).success))
    return translateFailure(failure, { credentials: origin }, now);
  const token = tokenErrorOf(status, body);
  return token === undefined
    ? unusableCredentials(origin, message, { cause })
    : refusedToken(token, origin, { cause });
}

function connectionError(failure: Failure): ServiceError {
  const args = defined({ host: failure.host });
  const timedOut = failure.code === 'TimeoutError' || /TIMEDOUT|TIMEOUT/i.test(failure.code ?? '');
  return timedOut
    ? new ServiceError('DEADLINE_EXCEEDED', 'timedOut', failure.message, args, { cause: failure.cause })
    : new ServiceError('UNAVAILABLE', 'hostUnreachable', failure.message, args, { cause: failure.cause });
}

const STATUS_OF_HTTP_CODE: Readonly<Record<number, StatusName>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ALREADY_EXISTS',
  // Cloud Storage: an upload session that no longer exists.
  410: 'NOT_FOUND',
  // Cloud Storage: a failed precondition such as ifGenerationMatch.
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  504: 'DEADLINE_EXCEEDED',
};

function statusOf(name: string | undefined, httpCode: number): StatusName {
  if (name !== undefined && Object.hasOwn(HTTP_CODES, name)) return name as StatusName;
  return STATUS_OF_HTTP_CODE[httpCode] ?? (httpCode < 500 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE');
}

/** Seconds from a `Retry-After` header (seconds or a date) or a RetryInfo. */
function retryAfterSeconds(
  header: string | null | undefined,
  details: readonly Detail[],
  now: number,
): number | undefined {
  if (header !== null && header !== undefined && header !== '') {
    const seconds = Number(header);
    if (Number.isFinite(seconds)) return Math.max(0, seconds);
    const date = Date.parse(header);
    if (Number.isFinite(date)) return Math.max(0, Math.ceil((date - now) / 1000));
  }
  const delay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const seconds = delay === undefined ? NaN : Number.parseFloat(delay);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** The args that are not undefined. */
export function defined(args: Args): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
