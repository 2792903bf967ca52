import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { activationCase } from './activation';
import { explorerCase, tickCase } from './explorer/cases';
import { firstListCase } from './first-list';
import { hostileCase } from './hostile';
import { KernelFloor } from './kernel-floor';
import {
  checkOutput,
  imageSources,
  manySmallWrites,
  notebook,
  printingSources,
  tenKilobyteSources,
} from './notebooks';
import { PEERS, run, type Peer } from './peers';
import { BenchService } from './service-client';

/** One comparison: the same notebook, run by us and by each peer, from the request to the written output. */
export interface Case {
  readonly name: string;
  /** Rounds; each runs us and every peer once, in turn. */
  readonly rounds: number;
  /** Prepares the round, which is not measured, and returns the measured run. */
  ours(folder: string): Promise<Measured>;
  /** The comparisons: each with its own run and, if there is one, the required ratio of our time to its time. */
  readonly peers: Readonly<Record<string, { bar?: number; prepare(folder: string): Promise<Measured> }>>;
  /** Limit for our own time in seconds, if there is one. */
  readonly limit?: number;
  /** Limit for our own memory in MB, if there is one. */
  readonly memoryLimit?: number;
  /** Frees what `ours` keeps between rounds. */
  close(): Promise<void>;
}

/** `run` is measured; `check` throws unless what it wrote is right; `close` is not measured. */
export interface Measured {
  run(): Promise<void>;
  check(): Promise<void>;
  /** Used instead of the time of `run`, in seconds. */
  seconds?(): number;
  /** Used instead of the peak memory of processes, in MB. */
  megabytes?(): number | undefined;
  close?(): Promise<void>;
}

interface Expected {
  cells: number;
  stdoutBytes: number;
  images: number;
}

/** The cells of a notebook, and the expected parts of its output. */
interface Work {
  readonly sources: readonly string[];
  readonly expected: Expected;
}

/** Cells that print a line each. */
const printing = (cells: number): Work => ({
  sources: printingSources(cells),
  expected: { cells, stdoutBytes: cells * 7, images: 0 },
});
const ONE_CELL = printing(1);
const FLOOD: Work = {
  sources: manySmallWrites(),
  expected: { cells: 1, stdoutBytes: 20_000_000, images: 0 },
};
const IMAGES: Work = { sources: imageSources(), expected: { cells: 50, stdoutBytes: 300, images: 50 } };

const bars = (nbclient: number, papermill: number): Record<Peer, number> => ({ nbclient, papermill });

/** The project's benchmark cases, in its own order. */
export const CASES: readonly Case[] = [
  coldCase('one-cell-cold', 9, ONE_CELL, bars(0.45, 0.4)),
  warmCase('one-cell-warm', 9, false, ONE_CELL, bars(0.35, 0.3)),
  warmCase('one-cell-spare', 15, true, ONE_CELL, bars(0.06, 0.06)),
  warmCase('100-cells-spare', 9, true, printing(100), bars(0.3, 0.25)),
  // Once: papermill takes more than five minutes for it.
  warmCase('1000-cells', 1, false, printing(1000), bars(0.85, 0.6)),
  warmCase('stdout-20mb', 5, false, FLOOD, bars(0.6, 0.55)),
  warmCase('50-images', 5, false, IMAGES, bars(0.42, 0.38)),
  warmCase('50-images-spare', 5, true, IMAGES, bars(0.42, 0.38)),
  batchCase('20-notebooks', 3, 20, 2, ONE_CELL, bars(0.4, 0.35)),
  overheadCase('overhead-1000-cells', 5, 1.15),
  scalingCase('scaling-10kb-cells', 3, 1.3),
  firstListCase('first-list-10000', 5, 10_000, 3, 120),
  hostileCase('hostile', 5000, 0.25),
  activationCase('activation', 7, 0.03),
  explorerCase('explorer-10000', 5, 1.5, 60),
  tickCase('explorer-10000-tick', 3, 0.01),
];

/** The service is not running: its start is part of the time. */
function coldCase(name: string, rounds: number, work: Work, goals: Record<Peer, number>): Case {
  return {
    name,
    rounds,
    peers: peerRuns(work, goals),
    ours(folder) {
      const input = writeInput(folder, work);
      let service: BenchService | undefined;
      let read: (() => string) | undefined;
      return Promise.resolve({
        async run() {
          service = await BenchService.start({ spare: false });
          read = await service.waitForOutput(await service.create(input));
        },
        check() {
          checkOutput(read?.() ?? '', work.expected);
          return Promise.resolve();
        },
        async close() {
          await service?.stop();
        },
      });
    },
    close: () => Promise.resolve(),
  };
}

/** The service is running, with or without a spare kernel. */
function warmCase(
  name: string,
  rounds: number,
  spare: boolean,
  work: Work,
  goals: Record<Peer, number>,
): Case {
  let service: BenchService | undefined;
  return {
    name,
    rounds,
    peers: { ...peerRuns(work, goals), 'kernel alone': kernelAlone(work, spare) },
    async ours(folder) {
      const input = writeInput(folder, work);
      if (service === undefined) {
        service = await BenchService.start({ spare });
        // The first run determines which spare kernel the service starts.
        if (spare) await service.waitForOutput(await service.create(input));
      }
      if (spare) await service.spareReady();
      const running = service;
      let read: (() => string) | undefined;
      return {
        async run() {
          read = await running.waitForOutput(await running.create(input));
        },
        check() {
          checkOutput(read?.() ?? '', work.expected);
          return Promise.resolve();
        },
      };
    },
    async close() {
      await service?.stop();
      service = undefined;
    },
  };
}

/** Many notebooks submitted at once, `parallel` at a time. */
function batchCase(
  name: string,
  rounds: number,
  count: number,
  parallel: number,
  work: Work,
  goals: Record<Peer, number>,
): Case {
  let service: BenchService | undefined;
  return {
    name,
    rounds,
    peers: peerEach(goals, (peer, folder) => batchRun(peer, folder, count, parallel, work)),
    async ours(folder) {
      const input = writeInput(folder, work);
      service ??= await BenchService.start({ spare: true, concurrency: parallel });
      const running = service;
      let outputs: (() => string)[] = [];
      return {
        async run() {
          await Promise.all(Array.from({ length: count }, () => running.create(input)));
          outputs = await running.waitForLast(count);
        },
        check() {
          for (const read of outputs) checkOutput(read(), work.expected);
          return Promise.resolve();
        },
      };
    },
    async close() {
      await service?.stop();
      service = undefined;
    },
  };
}

/** The notebooks under `xargs -P`. */
function batchRun(peer: Peer, folder: string, count: number, parallel: number, work: Work): Measured {
  const input = writeInput(folder, work);
  const command = PEERS[peer](input, path.join(folder, 'output-{}.ipynb')).map((argument) => `'${argument}'`);
  const script = `seq 0 ${String(count - 1)} | xargs -P ${String(parallel)} -I '{}' ${command.join(' ')}`;
  return {
    run: () => run(['sh', '-c', script]),
    async check() {
      for (let index = 0; index < count; index += 1) {
        const output = path.join(folder, `output-${String(index)}.ipynb`);
        checkOutput(await readFile(output, 'utf8'), work.expected);
        rmSync(output);
      }
    },
  };
}

function peerRuns(work: Work, goals: Record<Peer, number>): Case['peers'] {
  return peerEach(goals, (peer, folder) => {
    const input = writeInput(folder, work);
    const output = path.join(folder, `${peer}.ipynb`);
    return {
      run: () => run(PEERS[peer](input, output)),
      async check() {
        checkOutput(await readFile(output, 'utf8'), work.expected);
        rmSync(output);
      },
    };
  });
}

function peerEach(
  goals: Record<Peer, number>,
  prepare: (peer: Peer, folder: string) => Measured,
): Case['peers'] {
  const peer = (name: Peer): Case['peers'][string] => ({
    bar: goals[name],
    prepare: (folder) => Promise.resolve(prepare(name, folder)),
  });
  return { nbclient: peer('nbclient'), papermill: peer('papermill') };
}

/** Our time for 1,000 cells compared with that of the kernel alone. */
function overheadCase(name: string, rounds: number, bar: number): Case {
  const work = printing(1000);
  const runs = warmCase(name, rounds, true, work, bars(NaN, NaN));
  return { ...runs, peers: { 'kernel alone': { ...kernelAlone(work, true), bar } } };
}

/** A kernel that only receives the cells. With `ahead` its start is not measured. */
function kernelAlone({ sources }: Work, ahead: boolean): Case['peers'][string] {
  return {
    async prepare(): Promise<Measured> {
      let floor = ahead ? await KernelFloor.start() : undefined;
      return {
        async run() {
          floor ??= await KernelFloor.start();
          await floor.run(sources);
        },
        check: () => Promise.resolve(),
        close: async () => floor?.stop(),
      };
    },
  };
}

/** 1,000 cells of 10 KB compared with ten times 100 of them: the cost of a cell must not grow with the notebook. */
function scalingCase(name: string, rounds: number, bar: number): Case {
  const work = (cells: number): Work => ({
    sources: tenKilobyteSources(cells),
    expected: { cells, stdoutBytes: cells * 10_000, images: 0 },
  });
  const large = warmCase(name, rounds, true, work(1000), bars(NaN, NaN));
  const small = warmCase(name, rounds, true, work(100), bars(NaN, NaN));
  const hundred = {
    bar,
    async prepare(folder: string): Promise<Measured> {
      const measured = await small.ours(folder);
      const run = async (): Promise<void> => {
        for (let time = 0; time < 10; time += 1) await measured.run();
      };
      return { run, check: () => measured.check() };
    },
  };
  const close = async (): Promise<void> => {
    await Promise.all([large.close(), small.close()]);
  };
  return { ...large, close, peers: { '10 × 100 cells': hundred } };
}

function writeInput(folder: string, { sources }: Work): string {
  const file = path.join(folder, 'input.ipynb');
  writeFileSync(file, notebook(sources));
  return file;
}
