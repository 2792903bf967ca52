/*
 * Preloaded (`node --require`) into a service or runner: its disk fails, its clock jumps, or it dies at its n-th change
 * of a file, as a test says in the JSON file that the environment variable UNRULY names. Read anew each time.
 */
import { DIES, interfereWithDisk, systemError, type Orders } from './unruly-disk';

const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
const file = process.env['UNRULY'] ?? '';

function orders(): Orders {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Orders;
  } catch {
    return {}; // Not written yet, or just being replaced.
  }
}

let changes = 0;
interfereWithDisk((change) => {
  const { call, path } = change;
  const { fail, dieAt } = orders();
  if (fail !== undefined && new RegExp(fail.match).test(`${call} ${path}`)) throw systemError(fail.code);
  if (dieAt === undefined || !path.includes('/executions') || ++changes !== dieAt) return;
  return change.half().then(() => {
    writeSync(2, `${DIES} ${call} ${path}\n`);
    process.kill(process.pid, 'SIGKILL');
    // Nothing more is done until the signal has arrived.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
});

const now = Date.now.bind(Date);
Date.now = () => now() + (orders().clock ?? 0);
globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget) as Date,
});
