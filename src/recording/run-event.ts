import * as z from 'zod/mini';
import { RunnerStatusSchema } from '../protocol/runner-job';
import type { KernelMessage } from './kernel-message';

/** Events of a run that affect the output notebook. Indices count all cells from 0; times are ISO 8601 in UTC. */
export const JournalledEventSchema = z.discriminatedUnion('type', [
  /** The run begins. `description` is JSON text: `metadata.papermill` before the run. */
  z.object({ type: z.literal('runStarted'), time: z.string(), description: z.string() }),
  /** `languageInfo` is JSON text, from the kernel's `kernel_info_reply`. */
  z.object({ type: z.literal('kernelAnswered'), languageInfo: z.string() }),
  /** The request `requestId` runs the cell: messages with this parent belong to the cell. */
  z.object({ type: z.literal('cellStarted'), index: z.number(), requestId: z.string(), time: z.string() }),
  /** A step of nbclient's `metadata.execution`: `iopub.status.busy`, `iopub.execute_input` … */
  z.object({ type: z.literal('cellStep'), index: z.number(), step: z.string(), time: z.string() }),
  z.object({ type: z.literal('cellCount'), index: z.number(), count: z.number() }),
  z.object({ type: z.literal('cellEnded'), index: z.number(), time: z.string(), failed: z.boolean() }),
  /** `status` is the final status, which is reported once the output is saved. It is used if the runner dies before. */
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
