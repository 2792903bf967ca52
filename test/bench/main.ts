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
import { PEERS, type Peer } from './peers';
import { watchPeakMemory } from './processes';
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
  peers: Record<string, Figures & { ratio: number; bar: number }>;
}
interface Sample {
  seconds: number;
  megabytes: number | undefined;
}

const peers = Object.keys(PEERS) as Peer[];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !CASES.some((each) => each.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `No such case: ${unknown.join(', ')}. There are ${CASES.map((each) => each.name).join(', ')}.`,
    );
  }
  const chosen = CASES.filter((each) => positionals.length === 0 || positionals.includes(each.name));
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
  console.log(
    '| case | ours | RSS | ' + peers.map((peer) => `${peer} | RSS | ratio | bar`).join(' | ') + ' |',
  );
  console.log('|---|---|---|' + peers.map(() => '---|---|---|---|').join(''));
  for (const each of chosen) {
    const result = await measureCase(each);
    report.cases.push(result);
    console.log(row(result));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measureCase(each: Case): Promise<CaseResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nbx-bench-'));
  const ours: Sample[] = [];
  const theirs = new Map<Peer, Sample[]>(peers.map((peer) => [peer, []]));
  try {
    for (let round = 0; round < each.rounds; round += 1) {
      ours.push(await measure(await each.ours(folder), (command) => command.includes('runner.js')));
      for (const peer of peers) {
        const program = peer === 'nbclient' ? 'jupyter-execute' : 'papermill';
        theirs
          .get(peer)
          ?.push(
            await measure(
              await each.peer(peer, folder),
              (command) => command.includes(pythonFile(program)) && !command.includes('xargs'),
            ),
          );
      }
    }
  } finally {
    await each.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    name: each.name,
    ours: figures(ours),
    peers: Object.fromEntries(
      peers.map((peer) => {
        const samples = theirs.get(peer) ?? [];
        const ratios = samples.map((sample, index) => (ours[index]?.seconds ?? NaN) / sample.seconds);
        return [peer, { ...figures(samples), ratio: median(ratios), bar: each.bars[peer] }];
      }),
    ),
  };
}

async function measure(measured: Measured, isClient: (commandLine: string) => boolean): Promise<Sample> {
  const stopWatching = watchPeakMemory(isClient);
  const start = performance.now();
  try {
    await measured.run();
    const seconds = (performance.now() - start) / 1000;
    await measured.check();
    return { seconds, megabytes: stopWatching() };
  } finally {
    stopWatching();
    await measured.close?.();
  }
}

function figures(samples: readonly Sample[]): Figures {
  const seconds = samples.map((sample) => sample.seconds);
  const megabytes = samples.map((sample) => sample.megabytes).filter((value) => value !== undefined);
  return {
    median_s: round(median(seconds)),
    min_s: round(Math.min(...seconds)),
    max_s: round(Math.max(...seconds)),
    rss_mb: megabytes.length === 0 ? null : Math.round(Math.max(...megabytes)),
  };
}

function row(result: CaseResult): string {
  const cells = peers.flatMap((peer) => {
    const figure = result.peers[peer];
    return figure === undefined
      ? []
      : [
          seconds(figure),
          memory(figure),
          `${figure.ratio.toFixed(3)}${figure.ratio > figure.bar ? ' (missed)' : ''}`,
          `≤ ${String(figure.bar)}`,
        ];
  });
  return `| ${[result.name, seconds(result.ours), memory(result.ours), ...cells].join(' | ')} |`;
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

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
