import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import * as path from 'node:path';
import type { Case, Measured } from './cases';
import { writeFinishedExecutions } from './finished-executions';
import { residentMemory } from './processes';
import { BenchService, PARENT } from './service-client';

/**
 * From the start of a service with many executions to the answer to its first list; for comparison, a service with none.
 * @param limit for ours, in seconds.
 * @param memoryLimit for ours once it has answered, in MB.
 */
export function firstListCase(
  name: string,
  rounds: number,
  count: number,
  limit: number,
  memoryLimit: number,
): Case {
  let filled: string | undefined;
  return {
    name,
    rounds,
    limit,
    memoryLimit,
    ours(folder) {
      if (filled === undefined) {
        filled = path.join(folder, 'filled');
        writeFinishedExecutions(filled, count);
      }
      return Promise.resolve(firstList(filled, count));
    },
    peers: {
      'no executions': {
        prepare: (folder) => Promise.resolve(firstList(path.join(folder, 'empty'), 0)),
      },
    },
    close() {
      if (filled !== undefined) rmSync(filled, { recursive: true });
      filled = undefined;
      return Promise.resolve();
    },
  };
}

function firstList(dataDirectory: string, count: number): Measured {
  let service: BenchService | undefined;
  let listed = NaN;
  let memory: number | undefined;
  return {
    async run() {
      service = await BenchService.start({ spare: true, dataDirectory });
      const page = (await service.request('GET', `${PARENT}/executions?pageSize=100`)) as {
        executions?: unknown[];
      };
      listed = page.executions?.length ?? 0;
    },
    check() {
      assert.equal(listed, Math.min(count, 100));
      memory = residentMemory(service?.process.pid);
      return Promise.resolve();
    },
    megabytes: () => memory,
    close: async () => service?.stop(),
  };
}
