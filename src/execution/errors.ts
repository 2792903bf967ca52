/** Status names of google.rpc.Code with the HTTP codes Google maps them to. */
export const HTTP_CODES = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;
export type StatusName = keyof typeof HTTP_CODES;

/**
 * An error of an execution service, embedded or Google (google.rpc.Status with an ErrorInfo). `message` is technical
 * English for logs; the editor builds its sentence from `reason` and `args`.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  constructor(
    readonly status: StatusName,
    /** Stable code in lowerCamelCase for what happened (`kernelNotFound`, `fieldInvalid`, `serviceNotStarted` …). */
    readonly reason: string,
    message: string,
    /** Values for the editor's sentence: `field`, `path`, `kernels` … Never a secret. */
    readonly args: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
