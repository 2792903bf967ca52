import * as z from 'zod/mini';
import { RunnerStatusSchema } from '../protocol/runner-job';
import type { KernelMessage } from './kernel-message';

/** What happens in a run, as far as it shows in the output notebook. Indices count all cells from 0; times are ISO 8601 in UTC. */
export const JournalledEventSchema = z.discriminatedUnion('type', [
  /** The run begins. `description` is JSON text: what `metadata.papermill` says before the run. */
  z.object({ type: z.literal('runStarted'), time: z.string(), description: z.string() }),
  /** `languageInfo` is JSON text, from the kernel's `kernel_info_reply`. */
  z.object({ type: z.literal('kernelAnswered'), languageInfo: z.string() }),
  /** `requestId` runs the cell: what names it as its parent belongs to the cell. */
  z.object({ type: z.literal('cellStarted'), index: z.number(), requestId: z.string(), time: z.string() }),
  /** A step of nbclient's `metadata.execution`: `iopub.status.busy`, `iopub.execute_input` … */
  z.object({ type: z.literal('cellStep'), index: z.number(), step: z.string(), time: z.string() }),
  z.object({ type: z.literal('cellCount'), index: z.number(), count: z.number() }),
  z.object({ type: z.literal('cellEnded'), index: z.number(), time: z.string(), failed: z.boolean() }),
  /** `status` is what is told of the end once the output is saved: it holds where the runner dies before it is told. */
  z.object({
    type: z.literal('runEnded'),
    time: z.string(),
    failed: z.boolean(),
    status: z.optional(RunnerStatusSchema),
  }),
]);
export type JournalledEvent = z.infer<typeof JournalledEventSchema>;

/** An event of a run, or a message of the kernel that changes outputs. */
export type RunEvent = JournalledEvent | { readonly type: 'message'; readonly message: KernelMessage };
