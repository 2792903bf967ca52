import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Notebook } from '../../../src/notebook/model';
import { FILES } from '../../../src/protocol/execution-folder';
import type { KernelLaunch, RunnerJob, RunnerStatus } from '../../../src/protocol/runner-job';
import { Control, start, type Started } from './runner-process';
import { ipykernel, jobFor, makeFolders, notebookOf, readResult, type RunResult } from './running';

/** A runner that waits and receives one job after the other. */
export class Queue {
  private constructor(
    readonly runner: Started,
    readonly control: Control,
    readonly workingDirectory: string,
  ) {}

  static async start(): Promise<Queue> {
    const runner = await start(notebookOf(), {}, true);
    const { folder } = await makeFolders('');
    return new Queue(runner, await Control.connect(runner.runtime), folder);
  }

  /** Sends it a job. @returns the folder of the execution. */
  async send(notebook: Notebook, forkServer?: string, changes: Partial<RunnerJob> = {}): Promise<string> {
    const { folder } = await makeFolders(notebook);
    const job = path.join(folder, FILES.job);
    const { workingDirectory } = this;
    fs.writeFileSync(job, JSON.stringify(jobFor(folder, { workingDirectory, ...changes })), { mode: 0o600 });
    this.control.send({ type: 'run', job, ...(forkServer !== undefined && { forkServer }) });
    return folder;
  }

  async run(...job: Parameters<Queue['send']>): Promise<RunResult> {
    const folder = await this.send(...job);
    await this.control.event((event) => event.type === 'ended');
    return readResult(folder);
  }

  /** Makes it start a spare kernel. */
  async prepare(kernel: KernelLaunch = ipykernel()): Promise<void> {
    const { workingDirectory } = this;
    const kernelLog = path.join(workingDirectory, 'spare.log');
    this.control.send({ type: 'prepare', kernel, workingDirectory, kernelLog });
    await this.control.event((event) => event.type === 'ready');
  }

  /** Waits for a status that satisfies the condition. */
  async until(holds: (status: RunnerStatus) => boolean): Promise<RunnerStatus> {
    const event = await this.control.event((each) => each.type === 'status' && holds(each.status));
    assert.ok(event.type === 'status');
    return event.status;
  }

  get pid(): number {
    return this.runner.process.pid ?? 0;
  }
}
