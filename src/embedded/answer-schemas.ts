import * as z from 'zod/mini';
import { parseExecution, type Execution } from '../execution/execution';
import type { ExecutionPage } from '../execution/execution-service';

/*
 * Schemas for the client of the embedded service: its answers and its files. Loaded with the first request, so that a
 * window without requests does not spend time building schemas.
 */

export { parseExecution } from '../execution/execution';
export { CleanUpSchema } from '../execution/machine';
export { LocationSchema, readEndpoint } from '../protocol/service-schemas';

/** An answer to a list of executions. */
const PageSchema = z.object({
  executions: z._default(z.array(z.unknown()), []),
  nextPageToken: z.optional(z.string()),
});

/**
 * Parses repeated answers to the same list. An execution with the same JSON as in the previous answer is returned as
 * the same object, without parsing it again.
 */
export class PageReader {
  /** The executions of the last answer, by their JSON. */
  private known: ReadonlyMap<string, Execution> = new Map();

  /** @throws ZodError if it is not an answer to a list. */
  read(answer: unknown): ExecutionPage {
    const { executions, nextPageToken } = PageSchema.parse(answer);
    const read = executions.map((value) => {
      const text = JSON.stringify(value);
      return [text, this.known.get(text) ?? parseExecution(value)] as const;
    });
    this.known = new Map(read);
    return { executions: read.map(([, execution]) => execution), nextPageToken };
  }
}

/** google.longrunning.Operation */
export const OperationSchema = z.object({ done: z.boolean(), response: z.optional(z.unknown()) });
