import * as z from 'zod/mini';
import { parseExecution, type Execution } from '../execution/execution';
import type { ExecutionPage } from '../execution/execution-service';

/*
 * How the client reads what the service answers and leaves. Loaded with the first request: a window in which nobody asks
 * for anything starts without a schema.
 */

export { parseExecution } from '../execution/execution';
export { CleanUpSchema, LocationSchema, readEndpoint } from '../protocol/service-schemas';

/** An answer to a list of executions. */
const PageSchema = z.object({
  executions: z._default(z.array(z.unknown()), []),
  nextPageToken: z.optional(z.string()),
});

/**
 * Reads the answers to one list that is asked for again and again. What is answered as before is the same object as
 * before: neither parsed nor compared again.
 */
export class PageReader {
  /** The executions of the last answer by their JSON. */
  #known: ReadonlyMap<string, Execution> = new Map();

  /** @throws ZodError where it is no answer to a list. */
  read(answer: unknown): ExecutionPage {
    const { executions, nextPageToken } = PageSchema.parse(answer);
    const read = executions.map((value) => {
      const text = JSON.stringify(value);
      return [text, this.#known.get(text) ?? parseExecution(value)] as const;
    });
    this.#known = new Map(read);
    return { executions: read.map(([, execution]) => execution), nextPageToken };
  }
}

/** google.longrunning.Operation */
export const OperationSchema = z.object({ done: z.boolean(), response: z.optional(z.unknown()) });
