import * as z from 'zod/mini';

/*
 * How the client reads what the service answers and leaves. Loaded with the first request: a window in which nobody asks
 * for anything starts without a schema.
 */

export { parseExecution } from '../execution/execution';
export { CleanUpSchema, LocationSchema, readEndpoint } from '../service/schemas';

/** An answer to a list of executions. */
export const PageSchema = z.object({
  executions: z._default(z.array(z.unknown()), []),
  nextPageToken: z.optional(z.string()),
});

/** google.longrunning.Operation */
export const OperationSchema = z.object({ done: z.boolean(), response: z.optional(z.unknown()) });
