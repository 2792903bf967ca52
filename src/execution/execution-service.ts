import type { Execution, ExecutionRequest } from './execution';
import type { ScheduleService } from './schedule-service';

/** The notebook to run, including unsaved edits. */
export interface ExecutionInput {
  /** UTF-8 JSON of the .ipynb. */
  readonly notebook: Uint8Array;
  /** Called with bytes while the notebook is uploaded to a remote service. */
  readonly onUpload?: ((sent: number, total: number) => void) | undefined;
}

/** One page of a list, newest first. */
export interface ExecutionPage {
  readonly executions: readonly Execution[];
  readonly nextPageToken?: string | undefined;
}

/** A version of an output notebook. It may grow while the execution runs. */
export interface OutputDocument {
  /** Bytes, if the service reports the size. */
  readonly size: number | undefined;
  /** Changes whenever the content does. */
  readonly version: string;
  /** Streams the content; may be called more than once. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A part of a log. */
export interface LogChunk {
  readonly text: string;
  /** Where the next read continues: opaque. Equal to `from` if nothing was new. */
  readonly next: string;
}

/**
 * What a service can do; the editor does not offer what is false. The contract tests list the other permitted
 * differences between services (test/support/contract-words.ts).
 */
export interface Capabilities {
  readonly cancel: boolean;
  readonly log: boolean;
  /** Lines of the log arrive with a delay, also after the end, and reading it counts towards a quota. */
  readonly lateLog?: true;
  /** The output can be read while the execution runs. */
  readonly liveOutput: boolean;
  /** Queued executions run in the order of their creation. */
  readonly queuesInOrder?: true;
  /** `list` has a `filter`, see docs/service-api.md. */
  readonly filters?: true;
  /** `list` may lack the `cause`, `cell` and `message` of a failure; `get` has them. */
  readonly detailsOnGet?: true;
}

/**
 * The port: the editor uses every service that runs notebooks, on this machine or on Google Cloud, only through this
 * interface. Every method rejects with a ServiceError; an aborted signal rejects with its reason.
 */
export interface ExecutionService {
  /** Permanent id of this service, project and location, e.g. `embedded` or `vertex/my-project/us-central1`. */
  readonly id: string;
  readonly capabilities: Capabilities;
  /** Absent if the service has no schedules. */
  readonly schedules?: ScheduleService;
  /**
   * Creates an execution. A repeated call with the same id and content returns the same execution; with other content
   * it rejects with ALREADY_EXISTS.
   */
  create(
    executionId: string,
    execution: ExecutionRequest,
    input: ExecutionInput,
    signal?: AbortSignal,
  ): Promise<Execution>;
  get(name: string, signal?: AbortSignal): Promise<Execution>;
  /** @param page with a `filter` only if the capabilities say so; a page token belongs to its filter. */
  list(
    page: { pageSize?: number; pageToken?: string; filter?: string },
    signal?: AbortSignal,
  ): Promise<ExecutionPage>;
  /** Rejects with `cancelNotPossible` if the service cannot cancel now; deleting the execution ends it instead. */
  cancel(name: string, signal?: AbortSignal): Promise<Execution>;
  /**
   * Protects an execution from automatic deletion, or ends the protection; absent if the service deletes nothing by
   * itself.
   */
  pin?(name: string, pinned: boolean, signal?: AbortSignal): Promise<Execution>;
  /**
   * Deletes the execution with its files; a running one is cancelled first. Rejects with NOT_FOUND if it does not
   * exist.
   */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** The output so far; undefined if there is none yet. */
  readOutput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined>;
  /** The notebook that was submitted. */
  readInput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined>;
  /** A part of the log. @param from empty for the beginning, or `next` of the part before */
  readLog(execution: Execution, from: string, signal?: AbortSignal): Promise<LogChunk>;
  /** The execution's page in the service's own console, if it has one. */
  consoleUrl?(execution: Execution): string;
  /** The `gs://` URI of the output notebook, if outputs are in Cloud Storage; undefined while there is none. */
  outputUri?(execution: Execution, signal?: AbortSignal): Promise<string | undefined>;
}
