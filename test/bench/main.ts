/*
 * npm run bench -- [--json FILE] [CASE …]
 *
 * Runs each case round by round, us and every peer in turn, and prints medians and the median of the pairwise ratios.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, type Case, type Measured } from './cases';
import { GOOGLE_POLL, printGooglePoll } from './google-poll';
import { watchPeakMemory } from './processes';
import { ensurePython } from '../support/python';
import { pythonFile } from './service-client';

interface Figures {
  median_s: number;
  min_s: number;
  max_s: number;
  rss_mb: number | null;
}
interface CaseResult {
  name: string;
  ours: Figures;
  /** Limit for our time in seconds, if there is one. */
  limit?: number;
  /** Limit for our memory in megabytes, if there is one. */
  memoryLimit?: number;
  /** `bar`: the required ratio, if there is one. */
  peers: Record<string, Figures & { ratio: number; bar?: number }>;
}
interface Contestant {
  name: string;
  prepare: () => Promise<Measured>;
  isClient: (commandLine: string) => boolean;
}

/** Recognises a peer's process by its command line. */
const PROGRAMS: Readonly<Record<string, (command: string) => boolean>> = {
  nbclient: (command) => command.includes(pythonFile('jupyter-execute')) && !command.includes('xargs'),
  papermill: (command) => command.includes(pythonFile('papermill')) && !command.includes('xargs'),
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'string' } },
    allowPositionals: true,
  });
  const names = [...CASES.map(({ name }) => name), GOOGLE_POLL];
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Error(`No such case: ${unknown.join(', ')}. There are ${names.join(', ')}.`);

  await ensurePython();
  if (positionals.length === 0 || positionals.includes(GOOGLE_POLL)) await printGooglePoll();
  const chosen = CASES.filter((each) => positionals.length === 0 || positionals.includes(each.name));
  if (chosen.length === 0) return;
  const report = {
    machine: machine(),
    versions: versions(),
    date: new Date().toISOString(),
    cases: [] as CaseResult[],
  };
  console.log(
    `${report.machine}\n${Object.entries(report.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}\n`,
  );
  console.log('| case | against | ours | theirs | ratio | bar | our memory | theirs |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const each of chosen) {
    const result = await measureCase(each);
    report.cases.push(result);
    console.log(rows(result));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measureCase(each: Case): Promise<CaseResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nbx-bench-'));
  const contestants: Contestant[] = [
    { name: 'ours', prepare: () => each.ours(folder), isClient: (command) => command.includes('runner.js') },
    ...Object.entries(each.peers).map(([name, peer]) => ({
      name,
      prepare: () => peer.prepare(folder),
      isClient: PROGRAMS[name] ?? ((): boolean => false),
    })),
  ];
  const samples = new Map<string, number[]>();
  const memory = new Map<string, number | undefined>();
  try {
    // A separate round for memory: sampling it takes time from the measurement. It also warms the disk cache.
    for (const contestant of contestants) {
      const { measured, peak } = await contestantRun(each, contestant, async () => {
        const stopWatching = watchPeakMemory(contestant.isClient);
        const measured = await contestant.prepare();
        await measure(measured).finally(stopWatching);
        return { measured, peak: stopWatching() };
      });
      memory.set(contestant.name, measured.megabytes === undefined ? peak : measured.megabytes());
    }
    for (let round = 0; round < each.rounds; round += 1) {
      for (const contestant of contestants) {
        const seconds = await contestantRun(each, contestant, async () =>
          measure(await contestant.prepare()),
        );
        samples.set(contestant.name, [...(samples.get(contestant.name) ?? []), seconds]);
      }
    }
  } finally {
    await each.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const ours = samples.get('ours') ?? [];
  return {
    name: each.name,
    ours: figures(ours, memory.get('ours')),
    ...(each.limit === undefined ? {} : { limit: each.limit }),
    ...(each.memoryLimit === undefined ? {} : { memoryLimit: each.memoryLimit }),
    peers: Object.fromEntries(
      Object.entries(each.peers).map(([name, { bar }]) => {
        const theirs = samples.get(name) ?? [];
        const ratio = median(theirs.map((value, index) => (ours[index] ?? NaN) / value));
        return [
          name,
          {
            ...figures(theirs, memory.get(name)),
            ratio: round(ratio),
            ...(bar === undefined ? {} : { bar }),
          },
        ];
      }),
    ),
  };
}

/** Runs of a peer that may fail before that is an error. */
const PEER_TRIES = 4;

/**
 * Our run must not fail. A failed run of a peer is reported and repeated: kernels that start at the same time on TCP,
 * for example, use each other's ports.
 */
async function contestantRun<T>(each: Case, { name }: Contestant, action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (name === 'ours' || attempt === PEER_TRIES) throw error;
      const reason = String(error).trimEnd().split('\n').at(-1) ?? '';
      console.error(`${each.name}: a run of ${name} failed and is repeated (${reason})`);
    }
  }
}

/** Duration of the measured part in seconds. Throws if its result is wrong. */
async function measure(measured: Measured): Promise<number> {
  try {
    const start = performance.now();
    await measured.run();
    const seconds = (performance.now() - start) / 1000;
    await measured.check();
    return measured.seconds?.() ?? seconds;
  } finally {
    await measured.close?.();
  }
}

function figures(seconds: readonly number[], megabytes: number | undefined): Figures {
  return {
    median_s: round(median(seconds)),
    min_s: round(Math.min(...seconds)),
    max_s: round(Math.max(...seconds)),
    rss_mb: megabytes === undefined ? null : Math.round(megabytes),
  };
}

/** A line for each peer. */
function rows(result: CaseResult): string {
  return Object.entries(result.peers)
    .map(([name, theirs]) => {
      const missed =
        theirs.ratio > (theirs.bar ?? Infinity) ||
        result.ours.median_s > (result.limit ?? Infinity) ||
        (result.ours.rss_mb ?? 0) > (result.memoryLimit ?? Infinity);
      const cells = [
        result.name,
        name,
        seconds(result.ours),
        seconds(theirs),
        `${theirs.ratio.toFixed(3)}${missed ? ' (missed)' : ''}`,
        bar(result, theirs.bar),
        memory(result.ours),
        memory(theirs),
      ];
      return `| ${cells.join(' | ')} |`;
    })
    .join('\n');
}

function bar({ limit, memoryLimit }: CaseResult, ratio: number | undefined): string {
  if (limit === undefined) return ratio === undefined ? '–' : `≤ ${String(ratio)}`;
  return `≤ ${limit.toFixed(3)} s${memoryLimit === undefined ? '' : `, ${String(memoryLimit)} MB`}`;
}

const seconds = (figure: Figures): string => `${figure.median_s.toFixed(3)} s`;
const memory = (figure: Figures): string => (figure.rss_mb === null ? '–' : `${String(figure.rss_mb)} MB`);
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function machine(): string {
  const [cpu] = os.cpus();
  const gibibytes = Math.round(os.totalmem() / 2 ** 30);
  return `${os.type()} ${os.release()} ${os.arch()}, ${String(os.cpus().length)} × ${cpu?.model.trim() ?? 'CPU'}, ${String(gibibytes)} GiB`;
}

function versions(): Record<string, string> {
  const script =
    "import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ('nbclient', 'papermill', 'ipykernel')}))";
  const { version } = JSON.parse(readFileSync(path.resolve(__dirname, '../../../package.json'), 'utf8')) as {
    version: string;
  };
  return {
    'notebook-executions': version,
    node: process.version,
    ...(JSON.parse(execFileSync(pythonFile('python'), ['-c', script], { encoding: 'utf8' })) as Record<
      string,
      string
    >),
  };
}

main().then(
  // Resources that a case left open must not keep the process running.
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
