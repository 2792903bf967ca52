import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { ServiceError } from '../../src/execution/errors';
import type { Execution } from '../../src/execution/execution';
import { isTerminal } from '../../src/execution/states';
import { VENV_PYTHON } from '../support/python';
import { kernelPid, strike, type Victim } from './victims';

/** Lines that the notebook prints, 10 ms apart: `tick 0` to `tick 99`. */
const TICKS = 100;

/** A notebook that leaves a line in `$SOAK_WITNESS` each time it is run, and then ticks. */
export const NOTEBOOK = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
  cells: [
    "import os, time\nwith open(os.environ['SOAK_WITNESS'], 'a') as f:\n    f.write(os.environ['SOAK_ID'] + '\\n')",
    `for i in range(${String(TICKS)}):\n    print('tick', i, flush=True)\n    time.sleep(0.01)`,
  ].map((source, index) => ({
    cell_type: 'code',
    id: `cell-${String(index)}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  })),
});

export interface RoundContext {
  readonly dataDirectory: string;
  readonly notebook: string;
  readonly witness: string;
  readonly service: EmbeddedExecutionService;
}

/** What a round found; `problem` says what was not as promised. */
export interface RoundResult {
  readonly victim: Victim;
  readonly state: string;
  readonly problem: string | undefined;
}

/**
 * Submits the notebook, kills the victim at a random moment, waits for the end and compares it with what is promised.
 * Nothing in it waits for ever: an execution that has not ended after a minute is the problem.
 */
export async function playRound(id: string, victim: Victim, context: RoundContext): Promise<RoundResult> {
  const { dataDirectory, service } = context;
  const folder = path.join(dataDirectory, 'executions', id);
  const editor = spawn(
    process.execPath,
    [path.join(__dirname, 'editor.main.js'), dataDirectory, id, context.notebook, VENV_PYTHON],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, SOAK_WITNESS: context.witness } },
  );
  const editorExit = once(editor, 'exit');
  const created = Promise.race([once(editor.stdout, 'data'), editorExit]);
  let journalled = -1;
  if (victim === 'editor') {
    await delay(Math.random() * 4000);
    editor.kill('SIGKILL');
  } else {
    await created;
    await delay(Math.random() * 2000);
    const deadline = Date.now() + 5000;
    while (victim !== 'none' && Date.now() < deadline) {
      journalled = lastTick(path.join(folder, 'journal'));
      if (strike(victim, dataDirectory, folder)) break;
      await delay(20);
    }
    editor.stdin.end();
  }
  await editorExit;
  const execution = await ended(service, `projects/local/locations/local/executions/${id}`);
  if (execution === undefined) {
    // The editor was killed before the service had heard of it: then nothing may have run.
    return {
      victim,
      state: '(none)',
      problem: victim === 'editor' && runs(context.witness, id) === 0 ? undefined : 'the execution is gone',
    };
  }
  return { victim, state: execution.state, problem: await judge(execution, id, victim, journalled, context) };
}

async function judge(
  execution: Execution,
  id: string,
  victim: Victim,
  journalled: number,
  context: RoundContext,
): Promise<string | undefined> {
  const cause = execution.runStatus?.cause;
  const ending = `${execution.state} ${cause ?? ''}`.trim();
  if (!isTerminal(execution.state)) return `still ${execution.state} after a minute`;
  const expected = {
    none: ['SUCCEEDED'],
    editor: ['SUCCEEDED'],
    service: ['SUCCEEDED'],
    // It may have ended before it was struck.
    runner: ['SUCCEEDED', 'FAILED hostLost'],
    kernel: ['SUCCEEDED', 'FAILED kernelDied'],
    everything: ['SUCCEEDED', 'FAILED hostLost'],
  }[victim];
  if (!expected.includes(ending)) {
    return `${ending}: ${execution.runStatus?.message ?? ''}`;
  }
  if (runs(context.witness, id) > 1) return 'it ran twice';
  const ticks = await outputTicks(context.service, execution);
  if (ticks.some((tick, index) => tick !== index)) return `a gap in its output: ${ticks.join(' ')}`;
  if (execution.state === 'SUCCEEDED' && ticks.length !== TICKS)
    return `${String(ticks.length)} of ${String(TICKS)} lines`;
  if (ticks.length <= journalled)
    return `journalled up to ${String(journalled)}, but kept only ${String(ticks.length)}`;
  const kernel = kernelPid(path.join(context.dataDirectory, 'executions', id));
  if (kernel !== undefined && (await outlives(kernel, id)))
    return `its kernel ${String(kernel)} is still there`;
  return undefined;
}

/** Asks until the execution has ended, for a minute at most; undefined when there is none. */
async function ended(service: EmbeddedExecutionService, name: string): Promise<Execution | undefined> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      const execution = await service.get(name);
      if (isTerminal(execution.state) || Date.now() > deadline) return execution;
    } catch (error) {
      if (error instanceof ServiceError && error.status === 'NOT_FOUND') return undefined;
      // The service was killed by another round just now; the next call starts it again.
      if (!(error instanceof ServiceError) || Date.now() > deadline) throw error;
    }
    await delay(50);
  }
}

function runs(witness: string, id: string): number {
  if (!existsSync(witness)) return 0;
  return readFileSync(witness, 'utf8')
    .split('\n')
    .filter((line) => line === id).length;
}

function lastTick(journal: string): number {
  if (!existsSync(journal)) return -1;
  const matches = [...readFileSync(journal, 'latin1').matchAll(/tick (\d+)\\n/g)];
  return Number(matches.at(-1)?.[1] ?? -1);
}

async function outputTicks(service: EmbeddedExecutionService, execution: Execution): Promise<number[]> {
  const document = await service.readOutput(execution);
  if (document === undefined) return [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of document.read()) chunks.push(chunk);
  const { cells } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    cells: { outputs?: { text?: string[] | string }[] }[];
  };
  const text = cells
    .flatMap((cell) => cell.outputs ?? [])
    .flatMap((output) => output.text ?? [])
    .join('');
  return [...text.matchAll(/tick (\d+)\n/g)].map((match) => Number(match[1]));
}

/** True when the process is still this execution's kernel ten seconds after the end: time to be ended is allowed. */
async function outlives(pid: number, id: string): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (!isKernelOf(pid, id)) return false;
    await delay(50);
  }
  return isKernelOf(pid, id);
}

function isKernelOf(pid: number, id: string): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, 'utf8').includes(`SOAK_ID=${id}`);
  } catch {
    return false;
  }
}
