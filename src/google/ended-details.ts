import { ServiceError } from '../execution/errors';
import type { Execution } from '../execution/execution';
import { readAll } from '../execution/read-all';
import { isTerminal } from '../execution/states';
import { failedCell, type ExecutionFiles } from './execution-files';
import type { ExecutionApi } from './execution-api';
import type { Details, Remembered } from './remembered';
import type { RequestClock } from './requests/request-sender';
import { withFailedCell } from './run-status';

/** Larger outputs are not searched for the failing cell. Bytes. */
const SEARCHED_OUTPUT = 20 * 1024 * 1024;

/** How often an output is looked for that a list shows without one, and milliseconds before the second time. */
const TRIES = 8;
const FIRST_WAIT = 10_000;
/** How many executions one list looks for. */
const TRIES_OF_A_LIST = 5;

interface Parts {
  readonly api: ExecutionApi;
  readonly files: ExecutionFiles;
  readonly clock: RequestClock;
  readonly remembered: Remembered;
  /** The `gs://` URI of an execution's output, if there is one. */
  readonly outputUri: (execution: Execution, signal?: AbortSignal) => Promise<string | undefined>;
}

/**
 * Details of finished runs that the services do not return with the execution: the output, and the failed cell in it.
 * Cloud Storage may show the output only after the end of the run, so the search is repeated at growing intervals.
 */
export class EndedDetails {
  /** Executions whose output was not found: how often it was looked for, and when to look again. */
  private readonly missing = new Map<string, { tries: number; again: number }>();

  constructor(private readonly parts: Parts) {}

  /** Learns the details of a finished execution unless they are known; errors of the service are ignored. */
  async learn(execution: Execution, signal?: AbortSignal): Promise<void> {
    const { remembered, clock } = this.parts;
    const { name } = execution;
    const { tries } = this.missing.get(name) ?? { tries: 0 };
    if (tries >= TRIES || (tries === 0 && remembered.hasDetails(name))) return;
    let found = false;
    try {
      const details = await this.read(execution, signal);
      remembered.ended(name, details);
      found = details.outputNotebookFile !== undefined;
    } catch (error) {
      signal?.throwIfAborted();
      // The state is correct without the details.
      if (!(error instanceof ServiceError)) throw error;
    }
    if (found) this.missing.delete(name);
    else this.missing.set(name, { tries: tries + 1, again: clock.now() + FIRST_WAIT * 2 ** tries });
  }

  /** Looks again for the outputs of listed executions whose ends are known, where it is time to. */
  async learnLate(executions: readonly Execution[], signal?: AbortSignal): Promise<void> {
    const now = this.parts.clock.now();
    const due = executions.filter(({ name, state }) => {
      const missing = this.missing.get(name);
      return isTerminal(state) && missing !== undefined && missing.tries < TRIES && missing.again <= now;
    });
    for (const execution of due.slice(0, TRIES_OF_A_LIST)) await this.learn(execution, signal);
  }

  forget(name: string): void {
    this.missing.delete(name);
  }

  private async read(execution: Execution, signal: AbortSignal | undefined): Promise<Details> {
    const { api, files, outputUri } = this.parts;
    const known = await api.runDetails?.(execution, signal);
    const runStatus = { ...execution.runStatus, ...known };
    const uri = await outputUri(execution, signal);
    const output = uri === undefined ? undefined : await files.open(uri, signal);
    const searched =
      execution.state === 'FAILED' && output !== undefined && (output.size ?? 0) <= SEARCHED_OUTPUT;
    return {
      ...(output === undefined || uri === undefined ? {} : { outputNotebookFile: uri }),
      runStatus: searched
        ? withFailedCell(runStatus, failedCell((await readAll(output, signal)).toString('utf8')))
        : runStatus,
    };
  }
}
