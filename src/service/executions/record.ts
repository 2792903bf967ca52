import * as z from 'zod/mini';
import {
  RunStatusSchema,
  ExecutionTemplateSchema,
  RunOptionsSchema,
  ScheduledBySchema,
  type Execution,
  type RunStatus,
} from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import type { RunnerStatus } from '../../protocol/runner-job';
import { PARENT } from '../../protocol/service-paths';

const HistorySchema = z.array(z.object({ state: z.string(), time: z.string() }));

const PlacingSchema = z.object({
  name: z.string(),
  /** The folder has no hard links: the file of this name may be an incomplete copy. */
  isCopy: z.optional(z.boolean()),
});
/** The name that an output is being given in its folder, see {@link placeOutput}. */
export type Placing = z.infer<typeof PlacingSchema>;

/** `execution.json`: the service's record of an execution. While it runs, the runner's part is in status.json. */
export const ExecutionRecordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** SHA-256 of the create request; distinguishes a repeated request from a different one. */
  content: z.string(),
  createTime: z.string(),
  updateTime: z.string(),
  /** Stem of the notebook's name, with which names of outputs begin. */
  stem: z.string(),
  displayName: z.optional(z.string()),
  description: z.optional(z.string()),
  executionTemplate: ExecutionTemplateSchema,
  /** Without `environment`. */
  runOptions: RunOptionsSchema,
  /** INITIALIZING, QUEUED, PREPARING once a runner was requested (then status.json says more), or the final state. */
  state: z.string(),
  /** Until it ends: states of previous attempts and those that the service set itself. After the end: all states. */
  history: HistorySchema,
  attempt: z.number(),
  /** Where the attempt runs. It runs while something listens in `runtime`, see protocol/runner-job.ts. */
  host: z.optional(z.string()),
  boot: z.optional(z.string()),
  runtime: z.optional(z.string()),
  cancelTime: z.optional(z.string()),
  /** Set if it is to be removed once it has ended. */
  deleteTime: z.optional(z.string()),
  /** Not to be deleted for its age or size. */
  pinned: z.optional(z.boolean()),
  schedule: z.optional(ScheduledBySchema),
  outputNotebookFile: z.string(),
  placing: z.optional(PlacingSchema),
  /** The runner's final runStatus, or the service's own if the runner left none. */
  runStatus: z.optional(RunStatusSchema),
});
export type ExecutionRecord = z.infer<typeof ExecutionRecordSchema>;

/** The current time in RFC 3339, UTC, with milliseconds. */
export function now(): string {
  return new Date().toISOString();
}

/** The resource as clients see it: the record, merged with its runner's last status. */
export function present(record: ExecutionRecord, status: RunnerStatus | undefined): Execution {
  const { state, history, runStatus } = merge(record, status);
  return {
    name: `${PARENT}/executions/${record.id}`,
    displayName: record.displayName,
    description: record.description,
    executionTemplate: record.executionTemplate,
    createTime: record.createTime,
    updateTime: record.updateTime,
    state,
    outputNotebookFile: record.outputNotebookFile,
    runOptions: record.runOptions,
    // A copy: later changes must not alter the answer.
    runStatus: {
      attempt: record.attempt,
      host: record.host,
      ...runStatus,
      history: [...history],
      ...(record.pinned === true ? { pinned: true } : {}),
      ...(record.schedule === undefined ? {} : { schedule: record.schedule }),
    },
  };
}

/** Lists omit parameters with more characters, because windows request lists every second. */
const MAX_LISTED_PARAMETERS = 4096;

/** The resource as it appears in a list. */
export function presentInList(record: ExecutionRecord, status: RunnerStatus | undefined): Execution {
  const execution = present(record, status);
  const { parameters, ...executionTemplate } = record.executionTemplate;
  if (parameters === undefined || parameters.length <= MAX_LISTED_PARAMETERS) return execution;
  const runStatus = { ...execution.runStatus, omitted: ['executionTemplate.parameters'] };
  return { ...execution, executionTemplate, runStatus };
}

/** The state of the service's record and of the runner, merged. */
export interface Merged {
  state: string;
  history: { state: string; time: string }[];
  runStatus: RunStatus;
}

/** The service's states, then the runner's; CANCELLING from the request on, even before the runner reports it. */
export function merge(record: ExecutionRecord, status: RunnerStatus | undefined): Merged {
  const own = record.runStatus ?? {};
  if (isTerminal(record.state) || status?.attempt !== record.attempt)
    return withCancel(record, { state: record.state, history: record.history, runStatus: own });
  // The runner's history has its own PREPARING, which replaces the service's.
  const since = status.runStatus.history ?? [];
  return withCancel(record, {
    state: status.state,
    history: [...record.history.filter((entry) => !isOwnPreparing(record, entry)), ...since],
    runStatus: {
      ...own,
      ...status.runStatus,
      warnings: [...(own.warnings ?? []), ...(status.runStatus.warnings ?? [])],
    },
  });
}

/** The service's own PREPARING entry of the current attempt. It is used until the runner reports its own. */
function isOwnPreparing(record: ExecutionRecord, entry: { state: string }): boolean {
  return entry === record.history.at(-1) && entry.state === 'PREPARING';
}

function withCancel(record: ExecutionRecord, merged: Merged): Merged {
  const { cancelTime } = record;
  if (cancelTime === undefined || isTerminal(merged.state)) return merged;
  const known = merged.history.some((entry) => entry.state === 'CANCELLING' && entry.time >= cancelTime);
  return {
    ...merged,
    state: 'CANCELLING',
    history: known ? merged.history : [...merged.history, { state: 'CANCELLING', time: cancelTime }],
  };
}
