import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { checkOutput, images, manySmallWrites, notebook, printingCells } from './notebooks';
import { PEERS, run, type Peer } from './peers';
import { BenchService } from './service-client';

/** One comparison: the same notebook, run by us and by each peer, from the request to the written output. */
export interface Case {
  readonly name: string;
  /** Rounds; each runs us and every peer once, in turn. */
  readonly rounds: number;
  readonly bars: Readonly<Record<Peer, number>>;
  /** Prepares what is not measured and answers the measured run of ours. */
  ours(folder: string): Promise<Measured>;
  peer(peer: Peer, folder: string): Promise<Measured>;
  /** Frees what `ours` keeps between rounds. */
  close(): Promise<void>;
}

/** `run` is measured; `check` throws unless what it wrote is right; `close` is not measured. */
export interface Measured {
  run(): Promise<void>;
  check(): Promise<void>;
  close?(): Promise<void>;
}

interface Expected {
  cells: number;
  stdoutBytes: number;
  images: number;
}

const plain = (cells: number): Expected => ({ cells, stdoutBytes: cells * 7, images: 0 });

/** The bars of the project, in its own order. */
export const CASES: readonly Case[] = [
  coldCase('one-cell-cold', 9, notebook(["print('cell', 0)"]), plain(1), { nbclient: 0.45, papermill: 0.4 }),
  warmCase('one-cell-warm', 9, false, notebook(["print('cell', 0)"]), plain(1), {
    nbclient: 0.35,
    papermill: 0.3,
  }),
  warmCase('one-cell-spare', 15, true, notebook(["print('cell', 0)"]), plain(1), {
    nbclient: 0.04,
    papermill: 0.03,
  }),
  warmCase('100-cells-spare', 9, true, printingCells(100), plain(100), { nbclient: 0.3, papermill: 0.25 }),
  warmCase('1000-cells', 5, false, printingCells(1000), plain(1000), { nbclient: 0.85, papermill: 0.6 }),
  warmCase(
    'stdout-20mb',
    5,
    false,
    manySmallWrites(),
    { cells: 1, stdoutBytes: 20_000_000, images: 0 },
    {
      nbclient: 0.6,
      papermill: 0.55,
    },
  ),
  warmCase(
    '50-images',
    5,
    false,
    images(),
    { cells: 50, stdoutBytes: 300, images: 50 },
    {
      nbclient: 0.42,
      papermill: 0.38,
    },
  ),
  batchCase('20-notebooks', 3, 20, 2, notebook(["print('cell', 0)"]), plain(1), {
    nbclient: 0.4,
    papermill: 0.35,
  }),
];

/** Nothing runs yet: the service's start is part of the time. */
function coldCase(
  name: string,
  rounds: number,
  text: string,
  expected: Expected,
  bars: Record<Peer, number>,
): Case {
  return {
    name,
    rounds,
    bars,
    peer: peerRun(text, expected),
    ours(folder) {
      const input = writeInput(folder, text);
      let service: BenchService | undefined;
      let read: (() => string) | undefined;
      return Promise.resolve({
        async run() {
          service = await BenchService.start({ spare: false });
          read = await service.waitForOutput(await service.create(input));
        },
        check() {
          checkOutput(read?.() ?? '', expected);
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

/** The service runs already, with or without a kernel started ahead. */
function warmCase(
  name: string,
  rounds: number,
  spare: boolean,
  text: string,
  expected: Expected,
  bars: Record<Peer, number>,
): Case {
  let service: BenchService | undefined;
  return {
    name,
    rounds,
    bars,
    peer: peerRun(text, expected),
    async ours(folder) {
      const input = writeInput(folder, text);
      if (service === undefined) {
        service = await BenchService.start({ spare });
        // The first run tells the service which kernel to start ahead.
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
          checkOutput(read?.() ?? '', expected);
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

/** Many notebooks handed over at once, `parallel` at a time; the peers under `xargs -P`. */
function batchCase(
  name: string,
  rounds: number,
  count: number,
  parallel: number,
  text: string,
  expected: Expected,
  bars: Record<Peer, number>,
): Case {
  let service: BenchService | undefined;
  return {
    name,
    rounds,
    bars,
    async ours(folder) {
      const input = writeInput(folder, text);
      service ??= await BenchService.start({ spare: true, concurrency: parallel });
      const running = service;
      let outputs: (() => string)[] = [];
      return {
        async run() {
          const names = await Promise.all(Array.from({ length: count }, () => running.create(input)));
          outputs = await Promise.all(names.map((execution) => running.waitForOutput(execution)));
        },
        check() {
          for (const read of outputs) checkOutput(read(), expected);
          return Promise.resolve();
        },
      };
    },
    peer(peer, folder) {
      const input = writeInput(folder, text);
      const output = (index: number): string => path.join(folder, `output-${String(index)}.ipynb`);
      const command = PEERS[peer](input, path.join(folder, 'output-{}.ipynb')).map(
        (argument) => `'${argument}'`,
      );
      const script = `seq 0 ${String(count - 1)} | xargs -P ${String(parallel)} -I '{}' ${command.join(' ')}`;
      return Promise.resolve({
        run: () => run(['sh', '-c', script]),
        async check() {
          for (let index = 0; index < count; index += 1) {
            checkOutput(await readFile(output(index), 'utf8'), expected);
            rmSync(output(index));
          }
        },
      });
    },
    async close() {
      await service?.stop();
      service = undefined;
    },
  };
}

function peerRun(text: string, expected: Expected): Case['peer'] {
  return (peer, folder) => {
    const input = writeInput(folder, text);
    const output = path.join(folder, `${peer}.ipynb`);
    return Promise.resolve({
      run: () => run(PEERS[peer](input, output)),
      async check() {
        checkOutput(await readFile(output, 'utf8'), expected);
        rmSync(output);
      },
    });
  };
}

function writeInput(folder: string, text: string): string {
  const file = path.join(folder, 'input.ipynb');
  writeFileSync(file, text);
  return file;
}
