import type { Execution, ExecutionRequest } from './execution';

/** The notebook to run, exactly as it is on the screen. */
export interface ExecutionInput {
  /** UTF-8 JSON of the .ipynb. */
  readonly notebook: Uint8Array;
  /** Called while the notebook is sent to a service elsewhere, with bytes. */
  readonly onUpload?: ((sent: number, total: number) => void) | undefined;
}

/** One page of a list, newest first. */
export interface ExecutionPage {
  readonly executions: readonly Execution[];
  readonly nextPageToken?: string | undefined;
}

/** A version of an output notebook. It may grow while the execution runs. */
export interface OutputDocument {
  /** Bytes, where the service tells. */
  readonly size: number | undefined;
  /** Changes whenever the content does. */
  readonly version: string;
  /** Streams the content; may be called more than once. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A piece of a log from an offset on. */
export interface LogChunk {
  readonly text: string;
  /** Where to read on, in bytes. */
  readonly nextOffset: number;
}

/**
 * What a service can do; where false, the editor does not offer it. Where else services may differ, the contract tests say
 * (test/support/contract-words.ts).
 */
export interface Capabilities {
  readonly cancel: boolean;
  readonly log: boolean;
  /** The output can be read while the execution runs. */
  readonly liveOutput: boolean;
  /** What is queued runs in the order of its creation. */
  readonly queuesInOrder?: true;
  /** `list` may lack the `cause`, `cell` and `message` of a failure; `get` has them. */
  readonly detailsOnGet?: true;
}

/**
 * The port: whatever runs notebooks, this machine or Google, is used through this and nothing else.
 * Every method rejects with a ServiceError; an aborted signal rejects with its reason.
 */
export interface ExecutionService {
  /** Identifies this service, project and location for good, e.g. `embedded` or `vertex/my-project/us-central1`. */
  readonly id: string;
  readonly capabilities: Capabilities;
  /**
   * Creates an execution. Repeated with the same id and content it answers the same execution; with other content it
   * rejects with ALREADY_EXISTS.
   */
  create(
    executionId: string,
    execution: ExecutionRequest,
    input: ExecutionInput,
    signal?: AbortSignal,
  ): Promise<Execution>;
  get(name: string, signal?: AbortSignal): Promise<Execution>;
  list(page: { pageSize?: number; pageToken?: string }, signal?: AbortSignal): Promise<ExecutionPage>;
  /** Rejects with `cancelNotPossible` where the service cannot now; deleting the execution ends it instead. */
  cancel(name: string, signal?: AbortSignal): Promise<Execution>;
  /** Keeps an execution from being deleted unasked, or no longer; absent where the service deletes nothing unasked. */
  pin?(name: string, pinned: boolean, signal?: AbortSignal): Promise<Execution>;
  /** Deletes the execution with its files; a running one is cancelled first. Deleting what is not there is NOT_FOUND. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** The output as far as it exists; undefined when there is none yet. */
  readOutput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined>;
  /** The notebook that was submitted. */
  readInput(execution: Execution, signal?: AbortSignal): Promise<OutputDocument | undefined>;
  /** The kernel's log from `offset` (bytes) on. */
  readLog(execution: Execution, offset: number, signal?: AbortSignal): Promise<LogChunk>;
  /** The page about the execution in the service's own console, where it has one. */
  consoleUrl?(execution: Execution): string;
  /** The `gs://` URI of the output notebook, where outputs are in Cloud Storage; undefined while there is none. */
  outputUri?(execution: Execution, signal?: AbortSignal): Promise<string | undefined>;
}
