import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseParameters, encodeParameters } from '../../../src/notebook/parameters/parse';
import { RunnerStatusSchema, type RunnerJob } from '../../../src/protocol/runner-job';
import { controlAddress } from '../../../src/protocol/runtime-directory';
import { FILES } from '../../../src/protocol/execution-folder';
import { ROOT } from '../paths';
import { VENV_PYTHON } from '../python';

/** Result of a run. */
export interface RunResult {
  /** Terminal state as reported by the runner. */
  readonly state: string;
  readonly message: string | undefined;
  readonly output: Buffer | undefined;
  /** What the kernel wrote to its log. */
  readonly log?: string;
}

/** Runs a notebook with our own runner, in place of Google's. */
export async function runNotebook(
  input: Buffer,
  options: {
    readonly parameters?: string | undefined;
    readonly timeout?: number | undefined;
    readonly signal: AbortSignal;
  },
): Promise<RunResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nbx-google-'));
  const runtime = await mkdtemp(path.join(tmpdir(), 'nbxr-'));
  try {
    await mkdir(path.join(folder, 'work'));
    const job: RunnerJob = {
      version: 1,
      name: 'projects/p/locations/l/executions/e',
      attempt: 1,
      folder,
      kernel: {
        name: 'python3',
        displayName: 'Python 3',
        language: 'python',
        argv: [VENV_PYTHON, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
        interruptMode: 'signal',
        env: definedEnvironment(),
      },
      workingDirectory: path.join(folder, 'work'),
      inputPath: path.join(folder, FILES.input),
      outputPath: path.join(folder, FILES.output),
      kernelTimeout: 60,
      allowErrors: false,
      allowErrorNames: [],
      ...(options.parameters === undefined
        ? {}
        : { parameters: encodeParameters(parseParameters(options.parameters)) }),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    };
    await writeFile(path.join(folder, FILES.input), input);
    await writeFile(path.join(folder, FILES.job), JSON.stringify(job), { mode: 0o600 });
    await runRunner(runtime, path.join(folder, FILES.job), options.signal);
    const told = await readFile(path.join(folder, FILES.status), 'utf8').catch(() => undefined);
    // Cancelled before the runner wrote a status.
    if (told === undefined) return { state: 'CANCELLED', message: undefined, output: undefined };
    const status = RunnerStatusSchema.parse(JSON.parse(told));
    const output = await readFile(path.join(folder, FILES.output)).catch(() => undefined);
    const { cell, message } = status.runStatus;
    const said = cell === undefined ? message : `${cell.errorName ?? ''}: ${cell.errorValue ?? ''}`;
    const log = await readFile(path.join(folder, FILES.kernelLog), 'utf8').catch(() => '');
    return { state: status.state, message: said, output, log };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(runtime, { recursive: true, force: true });
  }
}

async function runRunner(runtime: string, job: string, signal: AbortSignal): Promise<void> {
  const runner = spawn(
    process.execPath,
    [path.join(ROOT, 'dist/runner.js'), '--runtime', runtime, '--job', job],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  runner.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const cancel = (): void => {
    const socket = connect(controlAddress(runtime), () => socket.write('{"type":"cancel"}\n'));
    // The runner is not listening yet, or no longer.
    socket.on('error', () => runner.kill());
    socket.resume();
    runner.once('exit', () => socket.destroy());
  };
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel);
  const code = await new Promise<number | null>((resolve) => runner.once('exit', resolve));
  signal.removeEventListener('abort', cancel);
  if (code !== 0 && !signal.aborted) throw new Error(`The runner ended with ${String(code)}: ${stderr}`);
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
