import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { EndDetail } from '../../../src/execution/execution';
import { readNotebook } from '../../../src/notebook/document';
import type { Cell, Notebook, Output } from '../../../src/notebook/model';
import type { KernelLaunch, RunnerJob, RunnerStatus } from '../../../src/protocol/runner-job';
import { FILES } from '../../../src/protocol/execution-folder';
import { KernelClient } from '../../../src/runner/kernel/kernel-client';
import { launchKernel } from '../../../src/runner/kernel/launch';
import { NotebookRun, RUN_TIMEOUTS, type RunDependencies } from '../../../src/runner/run';
import { StatusReporter } from '../../../src/runner/status-reporter';
import { makeRuntimeDirectory } from '../../../src/service/runners/runner-process';
import { VENV_PYTHON } from '../../support/python';

/** A kernel of `.venv`, with the environment of the tests. */
export function ipykernel(changes: Partial<KernelLaunch> = {}): KernelLaunch {
  return {
    name: 'python3',
    displayName: 'Python 3',
    language: 'python',
    argv: [VENV_PYTHON, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
    interruptMode: 'signal',
    supportedEncryption: ['curve'],
    env: environment(),
    ...changes,
  };
}

/** A Python program that simulates a kernel. */
export function pythonKernel(source: string): KernelLaunch {
  const { supportedEncryption: _, ...launch } = ipykernel();
  return { ...launch, argv: [VENV_PYTHON, '-c', source, '{connection_file}'] };
}

export function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

type Source = string | Partial<Cell>;

/** A notebook of code cells, given as their sources or as cells with other fields. */
export function notebookOf(...cells: Source[]): Notebook {
  return {
    cells: cells.map((cell, index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      metadata: {},
      outputs: [],
      execution_count: null,
      ...(typeof cell === 'string' ? { source: cell } : { source: '', ...cell }),
    })),
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

export function tagged(source: string, ...tags: string[]): Partial<Cell> {
  return { source, metadata: { tags } };
}

/** Folders for one execution; removed by {@link cleanUp}. */
export async function makeFolders(input: Notebook | string): Promise<{ folder: string; runtime: string }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-run-'));
  const above = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-rt-'));
  const runtime = makeRuntimeDirectory(path.join(above, 'nbx-0-0123456789ab'));
  folders.push(folder, above);
  await fs.writeFile(
    path.join(folder, FILES.input),
    typeof input === 'string' ? input : JSON.stringify(input),
  );
  return { folder, runtime };
}
const folders: string[] = [];

const kernels: KernelClient[] = [];

/** Ends processes that a test left running, and removes its folders. */
export async function cleanUp(): Promise<void> {
  for (const kernel of kernels.splice(0)) await kernel.shutDown(0);
  for (const folder of folders.splice(0)) await fs.rm(folder, { recursive: true, force: true });
}

export function jobFor(folder: string, changes: Partial<RunnerJob> = {}): RunnerJob {
  return {
    version: 1,
    name: 'projects/local/locations/local/executions/test',
    attempt: 1,
    folder,
    kernel: ipykernel(),
    workingDirectory: folder,
    inputPath: '/in.ipynb',
    outputPath: '/out.ipynb',
    kernelTimeout: 60,
    allowErrors: false,
    allowErrorNames: [],
    ...changes,
  };
}

/** Result of a run. */
export interface RunResult {
  readonly folder: string;
  readonly status: RunnerStatus;
  readonly state: string;
  readonly cause: string | undefined;
  readonly message: string;
  readonly detail: EndDetail | undefined;
  /** Codes of the warnings. */
  readonly warnings: readonly string[];
  readonly notebook: Notebook;
  /** Outputs of each cell. */
  readonly outputs: readonly (readonly Output[])[];
}

export interface RunSettings {
  readonly job?: Partial<RunnerJob>;
  readonly options?: Partial<RunDependencies>;
  /** Receives each status and the object that can stop the run. */
  readonly onStatus?: (status: RunnerStatus, run: NotebookRun, kernel: KernelClient) => void;
}

/** Runs a notebook in this process, like the runner does in its own. */
export async function run(input: Notebook | string, settings: RunSettings = {}): Promise<RunResult> {
  const { folder, runtime } = await makeFolders(input);
  const job = jobFor(folder, settings.job);
  const log = path.join(folder, FILES.kernelLog);
  const { workingDirectory } = job;
  const place = { workingDirectory, runtimeDirectory: runtime, logFile: log };
  const kernel = new KernelClient(await launchKernel(job.kernel, place));
  kernels.push(kernel);
  const running: { run?: NotebookRun } = {};
  const reporter = new StatusReporter(
    path.join(folder, FILES.status),
    {
      version: 1,
      attempt: 1,
      state: 'PREPARING',
      runStatus: { startTime: new Date().toISOString(), history: [] },
    },
    (status) => {
      if (running.run) settings.onStatus?.(status, running.run, kernel);
    },
  );
  running.run = new NotebookRun(job, kernel, reporter, { timeouts: RUN_TIMEOUTS, ...settings.options });
  await running.run.run();
  await kernel.shutDown(5000);
  return readResult(folder);
}

export async function readResult(folder: string): Promise<RunResult> {
  const status = JSON.parse(await fs.readFile(path.join(folder, FILES.status), 'utf8')) as RunnerStatus;
  const { cause, message, detail, warnings } = status.runStatus;
  const notebook = await readOutput(folder);
  return {
    folder,
    status,
    state: status.state,
    cause,
    message: message ?? '',
    detail,
    warnings: (warnings ?? []).map(({ code }) => code),
    notebook,
    outputs: outputsOf(notebook),
  };
}

/** Outputs of each cell. */
export function outputsOf(notebook: Notebook): Output[][] {
  return notebook.cells.map((cell) => (cell.cell_type === 'code' ? cell.outputs : []));
}

/** output.ipynb; empty if it does not exist. */
export async function readOutput(folder: string): Promise<Notebook> {
  const bytes = await fs.readFile(path.join(folder, FILES.output)).catch(() => undefined);
  return bytes ? readNotebook(bytes).notebook : notebookOf();
}

/** The text of all streams of a cell. */
export function textOf(outputs: readonly Output[] | undefined): string {
  return (outputs ?? []).map((output) => (output.output_type === 'stream' ? output.text : '')).join('');
}

/** A value of `metadata.papermill` of each code cell. */
export function papermill(notebook: Notebook, key: string): unknown[] {
  return notebook.cells
    .filter((cell) => cell.cell_type === 'code')
    .map((cell) => (cell.metadata['papermill'] as Record<string, unknown>)[key]);
}
