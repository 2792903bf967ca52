import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Case, Measured } from './cases';
import { hostileFiles, hostileRequests, type Hostile } from './hostile-requests';
import { notebook } from './notebooks';
import { residentMemory } from './processes';
import { BenchService, PARENT } from './service-client';

/** Hostile requests at the same time, and milliseconds for one of them and for all. */
const AT_ONCE = 16;
const ONE_MS = 60_000;
const ALL_MS = 600_000;
/** Connections left half-open at the same time. */
const MAX_LEFT = 700;

/**
 * The longest time that a well-behaved client waits for an answer while others send malformed, nested or partial requests
 * or bombs, compared with the same client alone. All traffic stays on the loopback interface.
 * @param count hostile requests.
 * @param limit for the longest wait, in seconds.
 */
export function hostileCase(name: string, count: number, limit: number): Case {
  return {
    name,
    rounds: 1,
    limit,
    ours: (folder) => Promise.resolve(runWhileAttacked(folder, count)),
    peers: { 'nothing hostile': { prepare: (folder) => Promise.resolve(runWhileAttacked(folder, 0)) } },
    close: () => Promise.resolve(),
  };
}

function runWhileAttacked(folder: string, count: number): Measured {
  let service: BenchService | undefined;
  let honest: WellBehavedClient | undefined;
  let longest = NaN;
  let memory: number | undefined;
  const outcomes = new Map<string, number>();
  return {
    async run() {
      service = await BenchService.start({ spare: false });
      honest = await WellBehavedClient.start(service, folder);
      const requestOf = hostileRequests({ ...service.address, files: hostileFiles(folder) });
      const before = residentMemory(service.process.pid);
      const end = new AbortController();
      const waits = honest.ask(end.signal);
      if (count === 0) await delay(10_000);
      else await attack(service, requestOf, count, outcomes);
      end.abort();
      longest = await waits;
      memory = residentMemory(service.process.pid);
      const counted = [...outcomes].map(([outcome, times]) => `${outcome} ${String(times)}`).join(', ');
      console.error(
        `${String(count)} hostile requests (${counted || 'none'}), ${String(honest.asked)} honest ones: ` +
          `longest waits ${honest.waits}; ` +
          `service before ${String(Math.round(before ?? NaN))} MB, after ${String(Math.round(memory ?? NaN))} MB`,
      );
    },
    async check() {
      assert.equal(service?.process.exitCode, null, 'the service has ended');
      for (const outcome of outcomes.keys()) assert.ok(!outcome.startsWith('5'), outcome);
      const page = (await service.request('GET', `${PARENT}/executions`)) as { executions?: unknown[] };
      assert.equal(page.executions?.length, 1, 'something hostile was accepted');
    },
    seconds: () => longest / 1000,
    megabytes: () => memory,
    async close() {
      await honest?.end();
      await service?.stop();
    },
  };
}

/** A client that sends the requests of a window, and sometimes creates and deletes an execution. */
class WellBehavedClient {
  asked = 0;
  private readonly longest = new Map<string, number>();

  private constructor(
    private readonly service: BenchService,
    private readonly input: string,
    private readonly first: string,
  ) {}

  /** @returns once an execution runs that blocks all others: kernels would take time from the measurement. */
  static async start(service: BenchService, folder: string): Promise<WellBehavedClient> {
    const input = path.join(folder, 'honest.ipynb');
    writeFileSync(input, notebook(['import time; time.sleep(3600)']));
    const first = await service.create(input);
    for (;;) {
      const { state } = (await service.request('GET', `/v1/${first}`)) as { state?: string };
      if (state === 'RUNNING') return new WellBehavedClient(service, input, first);
      await delay(50);
    }
  }

  /** Ends the running execution. */
  async end(): Promise<void> {
    await this.service.request('DELETE', `/v1/${this.first}`);
    while ((await this.list()).length > 0) await delay(50);
  }

  private async list(): Promise<unknown[]> {
    const page = await this.service.request('GET', `${PARENT}/executions`);
    return (page as { executions?: unknown[] }).executions ?? [];
  }

  /** Sends requests until the signal aborts. @returns the longest time of one request, in milliseconds. */
  async ask(signal: AbortSignal): Promise<number> {
    const time = async <T>(name: string, request: Promise<T>): Promise<T> => {
      const start = performance.now();
      const answer = await request;
      const took = performance.now() - start;
      this.asked += 1;
      this.longest.set(name, Math.max(this.longest.get(name) ?? 0, took));
      return answer;
    };
    for (let round = 0; !signal.aborted; round += 1) {
      await time('list', this.service.request('GET', `${PARENT}/executions?pageSize=100`));
      await time('get', this.service.request('GET', `/v1/${this.first}`));
      await time('location', this.service.request('GET', PARENT));
      if (round % 20 === 0) {
        const name = await time('create', this.service.create(this.input));
        await time('delete', this.service.request('DELETE', `/v1/${name}`));
      }
      await delay(10);
    }
    return Math.max(...this.longest.values());
  }

  /** The longest times of each kind of request. */
  get waits(): string {
    return [...this.longest].map(([name, wait]) => `${name} ${wait.toFixed(0)} ms`).join(', ');
  }
}

/** Sends hostile requests, counts them by response code, and closes all connections. */
async function attack(
  service: BenchService,
  requestOf: (number: number) => Hostile,
  count: number,
  outcomes: Map<string, number>,
): Promise<void> {
  const { port } = service.address;
  const left: net.Socket[] = [];
  const deadline = performance.now() + ALL_MS;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && performance.now() < deadline) {
      const request = requestOf(next);
      next += 1;
      const outcome = await send(port, request, left);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const socket of left) socket.destroy();
  assert.equal(next, count, `only ${String(next)} requests in ${String(ALL_MS / 1000)} s`);
}

/** @returns the response code, `closed` if there was none, or the client's action instead of waiting for it. */
async function send(port: number, { text, then }: Hostile, left: net.Socket[]): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    // The code is enough; the connection is not needed after it.
    received += chunk.toString('latin1');
    if (then === 'wait' && received.includes('\r\n')) socket.destroy();
  });
  socket.write(text);
  switch (then) {
    case 'leave':
      await Promise.race([new Promise((resolve) => socket.write('', resolve)), closed]);
      socket.destroy();
      return 'left';
    case 'stay':
      left.push(socket);
      if (left.length > MAX_LEFT) left.shift()?.destroy();
      return 'half-open';
    case 'wait':
      socket.setTimeout(ONE_MS, () => socket.destroy());
      await closed;
      return /^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 'closed';
  }
}
