import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { ServiceError } from '../../src/execution/errors';
import type { Execution } from '../../src/execution/execution';
import { isTerminal } from '../../src/execution/states';
import { ROOT } from '../support/paths';
import { kill, listProcesses, processesWithEnvironment } from '../support/processes';
import {
  killAfterDelete,
  killBeforeStatus,
  killWhileCreating,
  killWhilePlacing,
  killWhileSaving,
  readIfExists,
  killVictim,
  type Kill,
} from './victims';

/** Lines that the notebook prints, 10 ms apart: `tick 0` to `tick 99`. */
const TICKS = 100;

/** A notebook that appends a line to `$SOAK_WITNESS` each time it is run, and then prints its ticks. */
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
  /** Folder for outputs. */
  readonly out: string;
}

/** Kinds of violations after a round. */
export const PROBLEMS = ['lost', 'twice', 'untrue', 'left over'] as const;

/** Violations of the promises. */
export interface Problem {
  readonly kind: (typeof PROBLEMS)[number];
  readonly text: string;
}

/** Result of a round. */
export interface RoundResult {
  readonly kill: Kill;
  readonly state: string;
  readonly problem: Problem | undefined;
}

/** Facts about the kill of a round. */
interface KillFacts {
  /** The last line in the journal; -1 if there was none. */
  readonly journalled?: number;
  /** Whether the journal recorded the end of the run. */
  readonly hadEnded?: boolean;
  /** Whether the service had confirmed the deletion. */
  readonly isDeleted?: boolean;
}

/**
 * Submits the notebook, kills at the round's moment, waits for the end and checks the promises. It never waits
 * for ever: an execution that has not ended after a minute is a violation.
 */
export async function playRound(id: string, which: Kill, context: RoundContext): Promise<RoundResult> {
  const { dataDirectory, service, out } = context;
  const editor = spawn(
    process.execPath,
    [
      path.join(__dirname, 'editor.main.js'),
      dataDirectory,
      id,
      context.notebook,
      which === 'placing' ? out : '',
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        SOAK_WITNESS: context.witness,
        // A kernel that does not check whether its runner is alive.
        SOAK_KERNEL: which === 'beforeStatus' ? 'orphan' : '',
      },
    },
  );
  const words: Buffer[] = [];
  editor.stdout.on('data', (data: Buffer) => words.push(data));
  const editorExit = once(editor, 'exit');
  const killFacts = await killInRound(id, which, context, editor);
  editor.stdin.end();
  await editorExit;
  if (killFacts.isDeleted === true)
    return { kill: which, state: 'deleted', problem: await checkDeleted(id, context) };
  const execution = await ended(service, `projects/local/locations/local/executions/${id}`);
  if (execution === undefined) {
    // Killed before the service had confirmed the execution: then nothing may have run.
    const isFine = words.length === 0 && runs(context.witness, id) === 0;
    const text = 'the execution is gone';
    return { kill: which, state: 'never ran', problem: isFine ? undefined : { kind: 'lost', text } };
  }
  const problem =
    (await check(execution, id, which, killFacts, context)) ?? (await checkLeftOvers(id, context));
  return { kill: which, state: execution.state.toLowerCase(), problem };
}

async function killInRound(
  id: string,
  which: Kill,
  { dataDirectory, out }: RoundContext,
  editor: ChildProcess,
): Promise<KillFacts> {
  const folder = path.join(dataDirectory, 'executions', id);
  const created = Promise.race([editor.stdout && once(editor.stdout, 'data'), once(editor, 'exit')]);
  switch (which) {
    case 'editor':
      await delay(Math.random() * 4000);
      editor.kill('SIGKILL');
      return {};
    case 'create':
      await killWhileCreating(dataDirectory, id);
      return {};
    case 'beforeStatus':
      await killBeforeStatus(folder);
      return {};
    case 'finalSave':
      return { hadEnded: await killWhileSaving(folder) };
    case 'placing':
      await killWhilePlacing(dataDirectory, out, id);
      return {};
    case 'delete':
      await created;
      return { isDeleted: await killAfterDelete(dataDirectory, id) };
    case 'takeOver':
      await created;
      await delay(Math.random() * 1500);
      await killWhileTakingOver(dataDirectory, id);
      return {};
    default: {
      await created;
      await delay(Math.random() * 2000);
      const deadline = Date.now() + 5000;
      while (which !== 'none' && Date.now() < deadline) {
        const journalled = lastTick(path.join(folder, 'journal'));
        if (killVictim(which, dataDirectory, folder)) return { journalled };
        await delay(20);
      }
      return {};
    }
  }
}

/** Starts a service of another build to replace the running one, and kills it during the takeover or soon after. */
async function killWhileTakingOver(dataDirectory: string, build: string): Promise<void> {
  const successor = spawn(
    process.execPath,
    [path.join(ROOT, 'dist/service.js'), 'serve', '--data-dir', dataDirectory, '--replace', '--build', build],
    { stdio: 'ignore' },
  );
  await delay(Math.random() * 600);
  if (successor.pid !== undefined) kill(successor.pid);
}

async function check(
  execution: Execution,
  id: string,
  which: Kill,
  { journalled = -1, hadEnded = false }: KillFacts,
  context: RoundContext,
): Promise<Problem | undefined> {
  const cause = execution.runStatus?.cause;
  const ending = `${execution.state} ${cause ?? ''}`.trim();
  if (!isTerminal(execution.state))
    return { kind: 'untrue', text: `still ${execution.state} after a minute` };
  // It may have ended before the kill.
  const mayFail: Partial<Record<Kill, string>> = {
    runner: 'FAILED hostLost',
    kernel: 'FAILED kernelDied',
    everything: 'FAILED hostLost',
    beforeStatus: 'FAILED hostLost',
    ...(hadEnded ? {} : { finalSave: 'FAILED hostLost' }),
  };
  if (ending !== 'SUCCEEDED' && ending !== mayFail[which])
    return { kind: 'untrue', text: `${ending}: ${execution.runStatus?.message ?? ''}` };
  if (runs(context.witness, id) > 1) return { kind: 'twice', text: 'it ran twice' };
  const ticks = await outputTicks(context.service, execution);
  if (ticks.some((tick, index) => tick !== index))
    return { kind: 'lost', text: `a gap in its output: ${ticks.join(' ')}` };
  if (execution.state === 'SUCCEEDED' && ticks.length !== TICKS)
    return { kind: 'lost', text: `${String(ticks.length)} of ${String(TICKS)} lines` };
  if (ticks.length <= journalled) {
    return {
      kind: 'lost',
      text: `journalled up to ${String(journalled)}, but kept only ${String(ticks.length)}`,
    };
  }
  return which === 'placing' ? checkPlaced(execution, id, context) : undefined;
}

function checkPlaced(
  { outputNotebookFile = '' }: Execution,
  id: string,
  { out }: RoundContext,
): Problem | undefined {
  const placed = readdirSync(out).filter((name) => name.includes(id));
  if (placed.length > 1) {
    return placed.some((name) => name.startsWith('.'))
      ? { kind: 'left over', text: placed.join(' ') }
      : { kind: 'twice', text: placed.join(' ') };
  }
  return fileURLToPath(outputNotebookFile) === path.join(out, placed[0] ?? '')
    ? undefined
    : { kind: 'untrue', text: `${outputNotebookFile} is not ${placed.join()}` };
}

async function checkDeleted(id: string, context: RoundContext): Promise<Problem | undefined> {
  const deadline = Date.now() + 10_000;
  const name = `projects/local/locations/local/executions/${id}`;
  while (Date.now() < deadline) {
    if (await context.service.get(name).then(() => false, isNotFound)) {
      const isThere = existsSync(path.join(context.dataDirectory, 'executions', id));
      return isThere ? { kind: 'left over', text: 'its folder is still there' } : checkLeftOvers(id, context);
    }
    await delay(50);
  }
  return { kind: 'untrue', text: 'it was deleted, and is still there' };
}

/** Processes of this execution that still run ten seconds after its end, which is the time allowed for ending. */
async function checkLeftOvers(id: string, { out }: RoundContext): Promise<Problem | undefined> {
  const deadline = Date.now() + 10_000;
  const runningProcesses = (): string[] => {
    const found = processesWithEnvironment('SOAK_ID', id);
    // Listed afterwards, so that the parents of a process that has just started are known.
    const all = new Map(listProcesses().map((each) => [each.pid, each]));
    const hasRunner = (pid: number): boolean => {
      const { parent = 0, command = '' } = all.get(pid) ?? {};
      return command.includes('runner.js') || (parent > 1 && hasRunner(parent));
    };
    // A spare kernel for an execution like this one has the same environment, and a runner.
    return found.filter(({ pid }) => all.has(pid) && !hasRunner(pid)).map(({ command }) => command);
  };
  let running = runningProcesses();
  while (running.length > 0 && Date.now() < deadline) {
    await delay(50);
    running = runningProcesses();
  }
  const hidden = readdirSync(out).filter((name) => name.startsWith(`.${id}-`));
  const left = [...running, ...hidden];
  return left.length === 0 ? undefined : { kind: 'left over', text: left.join(', ') };
}

function isNotFound(error: unknown): boolean {
  return error instanceof ServiceError && error.status === 'NOT_FOUND';
}

/** Polls until the execution has ended, for at most a minute; undefined if it does not exist. */
async function ended(service: EmbeddedExecutionService, name: string): Promise<Execution | undefined> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      const execution = await service.get(name);
      if (isTerminal(execution.state) || Date.now() > deadline) return execution;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      // Another round has just killed the service; the next call starts it again.
      if (!(error instanceof ServiceError) || Date.now() > deadline) throw error;
    }
    await delay(50);
  }
}

function runs(witness: string, id: string): number {
  return readIfExists(witness)
    .split('\n')
    .filter((line) => line === id).length;
}

function lastTick(journal: string): number {
  const matches = [...readIfExists(journal).matchAll(/tick (\d+)\\n/g)];
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
