import * as z from 'zod/mini';
import {
  RunStatusSchema,
  ExecutionTemplateSchema,
  RunOptionsSchema,
  type Execution,
  type RunStatus,
} from '../../execution/execution';
import { isTerminal } from '../../execution/states';
import type { RunnerStatus } from '../../protocol/runner-job';
import { PARENT } from '../../protocol/service-paths';

const HistorySchema = z.array(z.object({ state: z.string(), time: z.string() }));

const PlacingSchema = z.object({
  name: z.string(),
  /** The folder knows no hard links: what has that name may be half a copy. */
  isCopy: z.optional(z.boolean()),
});
/** The name in the output folder that an output is just being given, see {@link placeOutput}. */
export type Placing = z.infer<typeof PlacingSchema>;

/** `execution.json`: what the service knows of an execution. The runner's part is in status.json until it has ended. */
export const ExecutionRecordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** SHA-256 of what the client asked for; tells a repeated create from another one. */
  content: z.string(),
  createTime: z.string(),
  updateTime: z.string(),
  /** The part of the notebook's name that names of outputs begin with. */
  stem: z.string(),
  displayName: z.optional(z.string()),
  description: z.optional(z.string()),
  executionTemplate: ExecutionTemplateSchema,
  /** Without `environment`. */
  runOptions: RunOptionsSchema,
  /** INITIALIZING, QUEUED, PREPARING once a runner was asked for (its own status says more), or the final state. */
  state: z.string(),
  /** States that the service itself saw, with those of former attempts; of all attempts once the state is final. */
  history: HistorySchema,
  attempt: z.number(),
  /** Where the attempt runs: proof of life is what listens in `runtime`, see protocol/runner-job.ts. */
  host: z.optional(z.string()),
  boot: z.optional(z.string()),
  runtime: z.optional(z.string()),
  cancelTime: z.optional(z.string()),
  /** To be removed once it has ended. */
  deleteTime: z.optional(z.string()),
  /** Not to be deleted for its age or for its size. */
  pinned: z.optional(z.boolean()),
  outputNotebookFile: z.string(),
  placing: z.optional(PlacingSchema),
  /** The final runStatus of the runner, or the service's own where no runner could tell. */
  runStatus: z.optional(RunStatusSchema),
});
export type ExecutionRecord = z.infer<typeof ExecutionRecordSchema>;

/** RFC 3339, UTC, milliseconds. */
export function now(): string {
  return new Date().toISOString();
}

/** The resource as clients see it: the record, with what its runner said last. */
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
    // A copy: the answer must not change under whoever holds it.
    runStatus: {
      attempt: record.attempt,
      host: record.host,
      ...runStatus,
      history: [...history],
      ...(record.pinned === true ? { pinned: true } : {}),
    },
  };
}

/** Parameters of more characters are left out of lists, which a window asks for every second. */
const MAX_LISTED_PARAMETERS = 4096;

/** The resource as it is in a list. */
export function presentInList(record: ExecutionRecord, status: RunnerStatus | undefined): Execution {
  const execution = present(record, status);
  const { parameters, ...executionTemplate } = record.executionTemplate;
  if (parameters === undefined || parameters.length <= MAX_LISTED_PARAMETERS) return execution;
  const runStatus = { ...execution.runStatus, omitted: ['executionTemplate.parameters'] };
  return { ...execution, executionTemplate, runStatus };
}

/** What the service and the runner know, together. */
export interface Merged {
  state: string;
  history: { state: string; time: string }[];
  runStatus: RunStatus;
}

/** The service's states, then the runner's; CANCELLING from the moment it was asked for, whoever knows of it. */
export function merge(record: ExecutionRecord, status: RunnerStatus | undefined): Merged {
  const own = record.runStatus ?? {};
  if (isTerminal(record.state) || status?.attempt !== record.attempt) {
    return withCancel(record, { state: record.state, history: record.history, runStatus: own });
  }
  // A runner that was told to cancel while it prepared has PREPARING from the service already.
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

/** The service's own PREPARING entry of the current attempt: it holds until the runner tells its own. */
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
