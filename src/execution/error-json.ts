import * as z from 'zod/mini';
import { HTTP_CODES, ServiceError, type StatusName } from './errors';

/*
 * Google's JSON error shape: google.rpc.Status as `{"error": {"code", "message", "status", "details"}}`, where `code`
 * is the HTTP code (API Design Guide, "Errors"; google/rpc/error_details.proto).
 */

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** Domain of the error reasons that this product defines. */
export const ERROR_DOMAIN = 'notebook-executions';

/** A ServiceError as an answer's body. With `args.field` it also carries a BadRequest. */
export function toErrorJson(error: ServiceError): unknown {
  const field = error.args['field'];
  return {
    error: {
      code: HTTP_CODES[error.status],
      message: error.message,
      status: error.status,
      details: [
        { '@type': ERROR_INFO, reason: error.reason, domain: ERROR_DOMAIN, metadata: error.args },
        ...(field === undefined
          ? []
          : [{ '@type': BAD_REQUEST, fieldViolations: [{ field, description: error.message }] }]),
      ],
    },
  };
}

const ErrorSchema = z.object({
  error: z.object({
    message: z._default(z.string(), ''),
    status: z.optional(z.string()),
    details: z._default(z.array(z.record(z.string(), z.unknown())), []),
  }),
});
const ErrorInfoSchema = z.object({
  reason: z.string(),
  metadata: z._default(z.record(z.string(), z.string()), {}),
});
const BadRequestSchema = z.object({ fieldViolations: z.array(z.object({ field: z.string() })) });

/**
 * The ServiceError of an answer with an HTTP code of 400 or more. `reason` comes from its ErrorInfo, else it is
 * `serviceError`; `args` are the ErrorInfo's metadata and the first violated field.
 * @param body parsed JSON, or anything else if the answer was not JSON.
 */
export function fromErrorJson(httpCode: number, body: unknown): ServiceError {
  const parsed = ErrorSchema.safeParse(body);
  const error = parsed.success ? parsed.data.error : { message: '', status: undefined, details: [] };
  const [info] = error.details.flatMap((detail) => ErrorInfoSchema.safeParse(detail).data ?? []);
  const [badRequest] = error.details.flatMap((detail) => BadRequestSchema.safeParse(detail).data ?? []);
  const field = badRequest?.fieldViolations[0]?.field;
  return new ServiceError(
    statusName(error.status) ?? statusOfHttpCode(httpCode),
    info?.reason ?? 'serviceError',
    error.message === '' ? `HTTP ${httpCode}` : error.message,
    { ...(field === undefined ? {} : { field }), ...info?.metadata },
  );
}

function statusName(name: string | undefined): StatusName | undefined {
  return name !== undefined && Object.hasOwn(HTTP_CODES, name) ? (name as StatusName) : undefined;
}

function statusOfHttpCode(httpCode: number): StatusName {
  for (const [name, code] of Object.entries(HTTP_CODES)) if (code === httpCode) return name as StatusName;
  return httpCode < 500 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE';
}
