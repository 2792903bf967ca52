import * as z from 'zod/mini';
import { parseSchedule } from '../execution/schedule';
import type { SchedulePage } from '../execution/schedule-service';

/* Schemas for the answers of the embedded service about schedules, see answer-schemas.ts. */

export { parseSchedule } from '../execution/schedule';
export { OperationSchema } from './answer-schemas';

const PageSchema = z.object({
  schedules: z._default(z.array(z.unknown()), []),
  nextPageToken: z.optional(z.string()),
  unreachable: z._default(z.array(z.string()), []),
});

/** Parses an answer to a list of schedules. @throws ZodError if it is none. */
export function parsePage(answer: unknown): SchedulePage {
  const { schedules, ...page } = PageSchema.parse(answer);
  return { ...page, schedules: schedules.map(parseSchedule) };
}
