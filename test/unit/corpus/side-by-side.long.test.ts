import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { readNotebook } from '../../../src/notebook/document';
import { isJsonObject, type JsonObject } from '../../../src/notebook/json';
import type { Notebook, Output } from '../../../src/notebook/model';
import { encodeParameters } from '../../../src/notebook/parameters/parse';
import type { RunnerStatus } from '../../../src/protocol/runner-job';
import { FILES } from '../../../src/protocol/execution-folder';
import { ROOT } from '../../support/paths';
import { VENV_PYTHON } from '../../support/python';
import { assertValid } from '../notebook/validation';
import { Control } from '../runner/runner-process';
import { environment, ipykernel, jobFor, textOf } from '../runner/running';
import { type Difference, DIFFERENCES } from './differences';
import { placesOf } from './normalize';

const CORPUS = path.join(ROOT, 'test/fixtures/corpus');
const PEERS = path.join(ROOT, 'test/unit/corpus/peers.py');
const RUNNER = path.join(ROOT, 'dist/runner.js');
const TOOLS = ['nbclient', 'papermill'] as const;
type Tool = (typeof TOOLS)[number];

/** One notebook run by one tool, as places with texts (see {@link placesOf}). */
type Result = ReadonlyMap<string, string>;

/** Notebooks in which several threads or processes write: the order of their text is random on any kernel. */
const MIXED: readonly string[] = ['threads', 'raw-file-descriptors', 'multiprocessing'];

/** The part that is equal in every run: for {@link MIXED} notebooks, the characters of all cells' outputs together. */
function stablePart(name: string, result: Result = new Map()): [string, string][] {
  const places = [...result];
  if (!MIXED.includes(name)) return places;
  const isOutput = (place: string): boolean => /^cell \d+ outputs$/.test(place);
  const outputs = places
    .filter(([place]) => isOutput(place))
    .flatMap(([, text]) => JSON.parse(text) as Output[]);
  const texts = outputs.map((output) => ('text' in output ? output.text : JSON.stringify(output)));
  return [
    ...places.filter(([place]) => !isOutput(place)),
    ['characters', Array.from(texts.join('')).sort().join('')],
  ];
}

describe('side by side with nbclient and papermill', function () {
  this.timeout(15 * 60_000);
  let folder: string;
  let names: string[];
  const ours = new Map<string, Result>();
  const forked = new Map<string, Result>();
  const documents: Record<string, Uint8Array> = {};
  const theirs: Record<Tool, Map<string, Result>> = { nbclient: new Map(), papermill: new Map() };

  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-corpus-'));
    const only = process.env['CORPUS'];
    names = (await fs.readdir(CORPUS))
      .map((file) => path.basename(file, '.ipynb'))
      .filter((name) => only === undefined || only.split(',').includes(name));
    await Promise.all([runAllStarted().then(runAllForked), ...TOOLS.map(runAllWith)]);
  });

  after(async () => {
    if (process.env['CORPUS'] === undefined) await fs.rm(folder, { recursive: true, force: true });
  });

  it('compares at least 20 notebooks, and ours are valid', () => {
    if (process.env['CORPUS'] === undefined) assert.ok(names.length >= 20);
    assertValid(documents);
  });

  // Both tools lose some of these, so a comparison with them is not useful.
  it('loses no outputs, even when there are many or threads print late', () => {
    const outputs = (name: string): Output[][] =>
      readNotebook(documents[name] ?? new Uint8Array()).notebook.cells.map((cell) =>
        cell.cell_type === 'code' ? [...cell.outputs] : [],
      );
    if (names.includes('large-outputs')) {
      const [lines, long, displays, mixed, result] = outputs('large-outputs');
      const numbers = (count: number, text: (index: number) => string): string =>
        Array.from({ length: count }, (_, index) => text(index)).join('');
      assert.equal(
        textOf(lines),
        numbers(20_000, (index) => `line ${index}\n`),
      );
      assert.equal(textOf(long), `${'x'.repeat(10_000)}\n`);
      assert.equal(displays?.length, 300);
      assert.equal(
        textOf(mixed),
        numbers(200, (index) => `${index}\n`),
      );
      assert.equal(result?.length, 1);
    }
    if (names.includes('threads')) {
      const all = outputs('threads').flat();
      const said = textOf(all)
        .split('\n')
        .filter((line) => line !== '');
      assert.deepEqual(said.sort(), [
        'cell 1',
        'cell 2',
        'cell 2 end',
        'end',
        'late from cell 1',
        'thread error',
        'tick 0',
        'tick 1',
        'tick 2',
      ]);
      assert.equal(all.filter(({ output_type: type }) => type === 'display_data').length, 1);
    }
  });

  it('gives the same outputs on kernels that are forked', () => {
    for (const [name, result] of ours)
      assert.deepEqual(stablePart(name, forked.get(name)), stablePart(name, result), name);
  });

  for (const tool of TOOLS) {
    it(`differs from ${tool} only in the known ways`, () => {
      const found = names.flatMap((name) => compare(ours.get(name), theirs[tool].get(name), name, tool));
      if (found.length > 0) assert.fail(found.join('\n\n'));
    });

    it(`still differs from ${tool} in all documented ways`, () => {
      if (process.env['CORPUS'] !== undefined) return;
      const stale = DIFFERENCES.filter(
        (known) => known.tools.includes(tool) && !known.sometimes && !seen.get(known)?.has(tool),
      );
      assert.deepEqual(
        stale.map(({ notebook, place }) => `${notebook} ${String(place)}`),
        [],
      );
    });
  }

  async function workingDirectory(tool: string, name: string): Promise<string> {
    const directory = path.join(folder, tool, name, `cwd-${name.replace(/\W/g, '')}`);
    await fs.mkdir(directory, { recursive: true });
    return directory;
  }

  function variables(tool: string): Record<string, string> {
    return { ...environment(), IPYTHONDIR: path.join(folder, tool, 'ipython'), PYTHONHASHSEED: '0' };
  }

  /** Puts an execution of the notebook into a folder, with its job. */
  async function submit(tool: string, name: string): Promise<{ run: string; job: string }> {
    const cwd = await workingDirectory(tool, name);
    const run = path.join(folder, tool, name, 'run');
    await fs.mkdir(run);
    await fs.copyFile(path.join(CORPUS, `${name}.ipynb`), path.join(run, FILES.input));
    const wishes = runOptionsOf(readNotebook(await fs.readFile(path.join(run, FILES.input))).notebook);
    const { parameters, cellTimeout, allowErrors, allowErrorNames } = wishes;
    const job = path.join(run, FILES.job);
    const content = jobFor(run, {
      workingDirectory: cwd,
      kernel: ipykernel({ env: variables(tool) }),
      ...(isJsonObject(parameters) && { parameters: encodeParameters(parameters) }),
      ...(typeof cellTimeout === 'number' && { cellTimeout }),
      allowErrors: allowErrors === true,
      allowErrorNames: Array.isArray(allowErrorNames) ? allowErrorNames.map(String) : [],
    });
    await fs.writeFile(job, JSON.stringify(content), { mode: 0o600 });
    return { run, job };
  }

  async function resultOf(run: string): Promise<{ result: Result; document: Uint8Array }> {
    const status = JSON.parse(await fs.readFile(path.join(run, FILES.status), 'utf8')) as RunnerStatus;
    const document = await fs.readFile(path.join(run, FILES.output));
    return { result: placesOf(verdictOf(status), readNotebook(document).notebook), document };
  }

  async function runAllStarted(): Promise<void> {
    for (const name of names) {
      const { run, job } = await submit('ours', name);
      await once(startRunner(await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-rt-')), '--job', job), 'exit');
      const { result, document } = await resultOf(run);
      documents[name] = document;
      ours.set(name, result);
    }
  }

  async function runAllForked(): Promise<void> {
    const runtime = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-rt-'));
    const runner = startRunner(runtime);
    const control = await Control.connect(runtime);
    for (const name of names) {
      const { run, job } = await submit('forked', name);
      control.send({ type: 'run', job, forkServer: 'a' });
      await control.event(({ type }) => type === 'ended');
      forked.set(name, (await resultOf(run)).result);
    }
    control.socket.destroy();
    await once(runner, 'exit');
  }

  async function runAllWith(tool: Tool): Promise<void> {
    const jobs = [];
    for (const name of names) {
      const cwd = await workingDirectory(tool, name);
      const output = path.join(folder, tool, name, 'output.ipynb');
      jobs.push({ name, input: path.join(CORPUS, `${name}.ipynb`), output, cwd });
    }
    const child = spawn(VENV_PYTHON, [PEERS, tool], {
      env: variables(tool),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.end(JSON.stringify(jobs));
    for await (const line of createInterface(child.stdout)) {
      const { name, verdict } = JSON.parse(line) as { name: string; verdict: string };
      const document = await fs.readFile(path.join(folder, tool, name, 'output.ipynb'));
      theirs[tool].set(name, placesOf(verdict, readNotebook(document).notebook));
      // Threads of ZeroMQ or forked processes that a notebook left running may keep Python from exiting.
      if (theirs[tool].size === jobs.length) break;
    }
    child.kill('SIGKILL');
  }
});

function startRunner(runtime: string, ...job: string[]): ChildProcess {
  return spawn(process.execPath, [RUNNER, '--runtime', runtime, ...job], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Run options of the notebook. */
function runOptionsOf(notebook: Notebook): JsonObject {
  const { corpus } = notebook.metadata;
  return isJsonObject(corpus) ? corpus : {};
}

function verdictOf({ state, runStatus }: RunnerStatus): string {
  if (state === 'SUCCEEDED') return 'succeeded';
  const { cause = 'none', cell } = runStatus;
  return cause === 'cellError' ? `cellError ${cell?.errorName ?? ''}` : cause;
}

/** The known differences that occurred, by tool. */
const seen = new Map<Difference, Set<Tool>>();

/** Places with unknown differences. */
function compare(mine: Result | undefined, other: Result | undefined, name: string, tool: Tool): string[] {
  assert.ok(mine && other, `${name} was not run`);
  const problems: string[] = [];
  for (const place of new Set([...mine.keys(), ...other.keys()])) {
    // nbclient has no statuses.
    if (tool === 'nbclient' && place.endsWith(' status')) continue;
    const [a = '', b = ''] = [mine.get(place), other.get(place)];
    if (a === b) continue;
    const known = DIFFERENCES.filter(
      (difference) =>
        difference.tools.includes(tool) && difference.notebook === name && difference.place.test(place),
    );
    for (const difference of known) seen.set(difference, new Set([...(seen.get(difference) ?? []), tool]));
    if (known.length === 0)
      problems.push(`${name}: ${place}\n--- ours\n${excerpt(a, b)}\n--- ${tool}\n${excerpt(b, a)}`);
  }
  return problems;
}

/** The text from its first difference to another text. */
function excerpt(text: string, other: string): string {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  return text.slice(Math.max(0, at - 200), at + 400);
}
