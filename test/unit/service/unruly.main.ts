/*
 * Preloaded (`node --require`) into a service or runner: its disk fails, its clock jumps, or it dies at its n-th change
 * of a file, as ordered in the JSON file named by the environment variable UNRULY. The file is read each time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DIES, HOLDS, interfereWithDisk, systemError, type Orders } from './unruly-disk';

const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
const file = process.env['UNRULY'] ?? '';

function orders(): Orders {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Orders;
  } catch {
    return {}; // Not written yet, or just being replaced.
  }
}

function die(change: string): void {
  writeSync(2, `${DIES} ${change}\n`);
  process.kill(process.pid, 'SIGKILL');
  // Blocks until the signal has arrived.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function whileHeld(change: string): Promise<void> {
  const isHeld = (): boolean => {
    const { hold } = orders();
    return hold !== undefined && new RegExp(hold).test(change);
  };
  if (!isHeld()) return;
  writeSync(2, `${HOLDS} ${change}\n`);
  while (isHeld()) await delay(5);
}

let changes = 0;
interfereWithDisk((change) => {
  const { call, path } = change;
  const { fail, dieAt, dieIn = '/executions', hold } = orders();
  const isMeant = (match: string): boolean => new RegExp(match).test(`${call} ${path}`);
  if (fail !== undefined && isMeant(fail.match)) throw systemError(fail.code);
  if (dieAt !== undefined && isMeant(dieIn) && ++changes === dieAt) {
    if (call.endsWith('Sync')) die(`${call} ${path}`);
    return change.half().then(() => {
      die(`${call} ${path}`);
    });
  }
  return hold === undefined || call.endsWith('Sync') ? undefined : whileHeld(`${call} ${path}`);
});

const now = Date.now.bind(Date);
Date.now = () => now() + (orders().clock ?? 0);
globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget) as Date,
});
