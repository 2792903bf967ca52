import * as fs from 'node:fs';
import type { RunStatus } from '../execution/execution';
import { isTerminal } from '../execution/states';
import type { RunnerStatus } from '../protocol/runner-job';
import { unfinished } from '../protocol/execution-folder';

/** Milliseconds between two reports of progress. State changes are reported at once. */
const PROGRESS_INTERVAL = 250;
/** Milliseconds between two writes of progress: they wait for the disk, and are not read while the runner lives. */
const WRITE_INTERVAL = 5000;

/** Keeps a runner's status, and publishes every change: in status.json, and to `onChange`. */
export class StatusReporter {
  private timer: NodeJS.Timeout | undefined;
  // Monotonic: changes of the system clock do not affect it.
  private lastReport = Number.NEGATIVE_INFINITY;
  private lastWrite = Number.NEGATIVE_INFINITY;
  status: RunnerStatus;
  /** Why status.json does not contain the latest state; undefined if it does. */
  notWritten: unknown;

  /**
   * @param path Path of status.json.
   * @param onChange Receives each status that is reported.
   */
  constructor(
    private readonly path: string,
    initial: RunnerStatus,
    private readonly onChange: (status: RunnerStatus) => void,
  ) {
    this.status = initial;
    this.report(true);
  }

  /** The status after entering a state, with other changes. */
  after(state: string, time: string, changes: RunStatus = {}): RunnerStatus {
    const { runStatus } = this.status;
    const history = [...(runStatus.history ?? []), { state, time }];
    return { ...this.status, state, runStatus: { ...runStatus, ...changes, history } };
  }

  /** Enters a state, with other changes. Never throws: a status that cannot be written is still reported. */
  enter(state: string, time: string, changes: RunStatus = {}): void {
    this.status = this.after(state, time, changes);
    this.report(true);
  }

  /** Makes a change that can be reported a little later. */
  update(changes: RunStatus): void {
    this.status = { ...this.status, runStatus: { ...this.status.runStatus, ...changes } };
    const wait = this.lastReport + PROGRESS_INTERVAL - performance.now();
    if (wait <= 0) {
      this.report(false);
    } else {
      this.timer ??= setTimeout(() => {
        this.report(false);
      }, wait);
    }
  }

  private report(isStateChange: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.lastReport = performance.now();
    if (isStateChange || this.lastReport - this.lastWrite >= WRITE_INTERVAL) {
      this.lastWrite = this.lastReport;
      try {
        writeStatus(this.path, this.status);
        this.notWritten = undefined;
      } catch (error) {
        this.notWritten = error;
        console.error('cannot write status.json:', error);
      }
    }
    this.onChange(this.status);
  }
}

/** Bytes that status.json has from the start: even if the disk becomes full, the final status fits into them. */
const RESERVED_BYTES = 8192;

/** Replaces status.json. The final status is flushed: an execution that has ended stays ended after a power cut. */
function writeStatus(path: string, status: RunnerStatus): void {
  const text = JSON.stringify(status).padEnd(RESERVED_BYTES);
  const temporary = unfinished(path);
  try {
    fs.writeFileSync(temporary, text, { mode: 0o600, flush: isTerminal(status.state) });
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    if (!isTerminal(status.state) || !overwrite(path, Buffer.from(text))) throw error;
  }
}

/** Overwrites a file's content, if the new one fits in. @returns whether it does. @throws SystemError */
function overwrite(path: string, data: Buffer): boolean {
  const file = fs.openSync(path, 'r+');
  try {
    if (data.length > fs.fstatSync(file).size) return false;
    fs.writeSync(file, data, 0, data.length, 0);
    fs.ftruncateSync(file, data.length);
    fs.fdatasyncSync(file);
    return true;
  } finally {
    fs.closeSync(file);
  }
}
