import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { TIMES_FILE } from './mocha';
import { ROOT } from './paths';

/* The unit tests that a change can break: their bundle, or that of a program they start, contains a changed file. */

/** The graph that esbuild.mjs writes beside the tests: the imports of each source, the entry of each program. */
interface BuildGraph {
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** Entry sources of the programs by the name of their bundle, for example `dist/service.js`. */
  readonly programs: Readonly<Record<string, string>>;
}

/** A test file and the number of imports between it and the nearest changed file. */
export interface AffectedTest {
  /** Path below `test/unit`, ending in `.unit.test.js`. */
  readonly file: string;
  readonly distance: number;
  /** Duration of its last run in milliseconds; undefined if it has never run in this clone. */
  readonly lastMs: number | undefined;
}

/** Starting a program counts as this many imports. */
const PROGRAM_DISTANCE = 10;

/** Assumed duration of tests that have never run in this clone, in milliseconds. */
const UNKNOWN_MS = 5000;

/** Files that differ from the revision, and untracked files; paths relative to the clone. */
export function changedFiles(since: string): string[] {
  const git = (...args: string[]): string[] =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '');
  return [
    ...git('diff', '--name-only', '--relative', since),
    ...git('ls-files', '--others', '--exclude-standard'),
  ];
}

/** The unit tests that a change of these files can break, nearest first. */
export function affectedTests(changed: readonly string[]): AffectedTest[] {
  const graph = JSON.parse(readFileSync(path.join(ROOT, 'out/graph.json'), 'utf8')) as BuildGraph;
  const distances = distancesFrom(changed, graph);
  const times = lastTimes();
  return [...distances]
    .filter(([file]) => file.startsWith('test/unit/') && file.endsWith('.unit.test.ts'))
    .map(([file, distance]) => ({ file: file.slice('test/unit/'.length).replace(/\.ts$/, '.js'), distance }))
    .map((test) => ({ ...test, lastMs: times[test.file] }))
    .sort((a, b) => a.distance - b.distance || (a.lastMs ?? UNKNOWN_MS) - (b.lastMs ?? UNKNOWN_MS));
}

/** The first tests that together take at most `budgetMs` milliseconds, but at least one. */
export function withinBudget(tests: readonly AffectedTest[], budgetMs: number): AffectedTest[] {
  let sum = 0;
  return tests.filter(({ lastMs = UNKNOWN_MS }, index) => (sum += lastMs) <= budgetMs || index === 0);
}

/** Breadth-first search over the modules that import a file or start its program. */
function distancesFrom(changed: readonly string[], graph: BuildGraph): Map<string, number> {
  const users = new Map<string, [user: string, distance: number][]>();
  const add = (used: string, user: string, distance: number): void => {
    users.set(used, [...(users.get(used) ?? []), [user, distance]]);
  };
  for (const [file, imports] of Object.entries(graph.imports)) {
    for (const imported of imports) add(imported, file, 1);
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    for (const [bundle, entry] of Object.entries(graph.programs)) {
      if (text.includes(bundle) || text.includes(`'${path.basename(bundle)}'`))
        add(entry, file, PROGRAM_DISTANCE);
    }
  }
  const distances = new Map<string, number>();
  const queue: [string, number][] = changed.map((file) => [file, 0]);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [file, distance] = next;
    if ((distances.get(file) ?? Infinity) <= distance) continue;
    distances.set(file, distance);
    for (const [user, step] of users.get(file) ?? []) queue.push([user, distance + step]);
  }
  return distances;
}

function lastTimes(): Record<string, number | undefined> {
  try {
    return JSON.parse(readFileSync(TIMES_FILE, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}
