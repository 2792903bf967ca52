import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { translateFailure, type RequestContext } from './error-translation';
import type { AttemptOptions, RequestSender } from './request-sender';

/** google.longrunning.Operation, the fields that this client reads. */
export const OperationSchema = z.object({
  name: z.string(),
  done: z.optional(z.boolean()),
  error: z.optional(
    z.object({
      code: z.optional(z.number()),
      message: z.optional(z.string()),
      details: z.optional(z.array(z.unknown())),
    }),
  ),
});
export type Operation = z.infer<typeof OperationSchema>;

/** google.rpc.Code by number. */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Milliseconds between polls of an operation, and for all polls. */
const INTERVAL = 1000;
const LONGEST = 120_000;

/**
 * Waits until an operation is done.
 * @throws ServiceError of the operation, or `timedOut` if it takes too long
 */
export async function awaitOperation(
  sender: RequestSender,
  started: Operation,
  get: (name: string, options: AttemptOptions) => Promise<{ data: unknown }>,
  context: RequestContext,
  signal?: AbortSignal,
): Promise<void> {
  const end = sender.clock.now() + LONGEST;
  let operation = started;
  while (operation.done !== true) {
    if (sender.clock.now() > end)
      throw new ServiceError('DEADLINE_EXCEEDED', 'timedOut', `${operation.name} takes too long`);

    await sender.clock.sleep(INTERVAL, signal);
    const { name } = operation;
    operation = await sender.send(OperationSchema, (options) => get(name, options), context, signal);
  }
  const failure = failureOfOperation(operation, context);
  if (failure !== undefined) throw failure;
}

/** The error of an operation: a google.rpc.Status inside a successful HTTP answer. Undefined if it has none. */
export function failureOfOperation(
  { error }: Operation,
  context: RequestContext = {},
): ServiceError | undefined {
  if (error === undefined) return undefined;
  const { code = 2, message = '', details = [] } = error;
  const body = { error: { message, status: STATUS_NAMES[code] ?? 'UNKNOWN', details } };
  return translateFailure({ status: 500, body, message, cause: error }, context, 0);
}
