import type * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/*
 * A disk that fails or a machine that is cut off, below everything that this process does with files. The functions of
 * node:fs are replaced in place, so that the product needs no seams for it.
 */

/** Functions of node:fs/promises, node:fs and file handles that change what is on the disk. */
const CHANGING = {
  promises: ['open', 'rename', 'rm', 'rmdir', 'mkdir', 'link', 'copyFile', 'chmod', 'utimes', 'writeFile'],
  sync: ['openSync', 'renameSync', 'rmSync', 'mkdirSync', 'writeFileSync', 'writevSync'],
  handle: ['write', 'writev', 'writeFile', 'datasync', 'sync'],
} as const;

/** A change that is about to be made. */
export interface Change {
  /** The function, `rename`. */
  readonly call: string;
  /** Its first path; of a file handle: that of its file. */
  readonly path: string;
  /** Does the first half of a write, as a disk does that is cut off in the middle of it. */
  half(): Promise<void>;
}

/** Asked before every change of a file; what it throws is the change's failure. May return a promise where the change does. */
export type Interfere = (change: Change) => void | Promise<void>;

/** What a test may order. */
export interface Orders {
  /** Changes of files whose path or call (`rename /a/b`) matches fail with this code. */
  readonly fail?: { readonly match: string; readonly code: string };
  /** The process dies in the middle of its n-th change of a file, from this order on; 1 is the first. */
  readonly dieAt?: number;
  /** Only changes whose path or call matches count; those below `executions` when absent. */
  readonly dieIn?: string;
  /** Changes whose path or call matches wait until there is another order. Not those that this process waits for. */
  readonly hold?: string;
  /** Milliseconds that its clock is ahead. */
  readonly clock?: number;
}

/** What a process says of a change that it holds as it was told. */
export const HOLDS = 'holds';

/** What a process says that dies as it was told. */
export const DIES = 'dies at';

type Function_ = (this: unknown, ...args: unknown[]) => unknown;

/** Lets `interfere` decide about each change from now on. @returns puts everything back once nothing is under way. */
export function interfereWithDisk(interfere: Interfere): () => Promise<void> {
  let underWay = 0;
  const gate = async (change: Change, act: () => unknown): Promise<unknown> => {
    underWay++;
    try {
      await interfere(change);
      return await act();
    } finally {
      underWay--;
    }
  };
  const undo: (() => void)[] = [];
  const paths = new WeakMap<object, string>();
  const replace = (
    owner: object,
    name: string,
    wrap: (original: Function_, self: unknown, args: unknown[]) => unknown,
  ): void => {
    const functions = owner as Record<string, Function_>;
    const original = functions[name];
    if (original === undefined) return;
    functions[name] = function (...args) {
      return wrap(original, this, args);
    };
    undo.push(() => (functions[name] = original));
  };
  const nothing = (): Promise<void> => Promise.resolve();
  const { promises, ...sync } = nodeFs();
  const realSync = nodeFs();
  for (const name of CHANGING.sync) {
    if (!(name in sync)) continue;
    replace(realSync, name, (original, self, args) => {
      if (!isReading(name, args)) void interfere({ call: name, path: String(args[0]), half: nothing });
      return original.apply(self, args);
    });
  }
  let handlesKnown = false;
  const meetHandle = (handle: fs.promises.FileHandle, file: string): void => {
    paths.set(handle, file);
    if (handlesKnown) return;
    handlesKnown = true;
    const prototype = Object.getPrototypeOf(handle) as object;
    for (const name of CHANGING.handle) {
      replace(prototype, name, (original, self, args) => {
        const half = name === 'writeFile' ? halfOf(original, self, args, 0) : nothing;
        const path = paths.get(self as object) ?? '';
        return gate({ call: name, path, half }, () => original.apply(self, args));
      });
    }
  };
  for (const name of CHANGING.promises) {
    replace(promises, name, async (original, self, args) => {
      const path = String(args[0]);
      const reads = isReading(name, args);
      const act = (): unknown => original.apply(self, args);
      const half =
        name === 'writeFile'
          ? halfOf(original, self, args, 1)
          : name === 'copyFile'
            ? () => copyHalf(path, String(args[1]))
            : nothing;
      const result = await (reads ? act() : gate({ call: name, path, half }, act));
      if (name === 'open') meetHandle(result as fs.promises.FileHandle, path);
      return result;
    });
  }
  return async () => {
    // What follows on something that has just ended begins within a turn of the event loop.
    for (let quiet = 0; quiet < 3; quiet = underWay === 0 ? quiet + 1 : 0) await setImmediate();
    for (const each of undo.splice(0).reverse()) each();
  };
}

/** True for the call that opens a file without the right to write to it. */
function isReading(call: string, [, flags = 'r']: unknown[]): boolean {
  const { O_WRONLY, O_RDWR } = nodeFs().constants;
  const cannotWrite = flags === 'r' || (typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR)) === 0);
  return call.startsWith('open') && cannotWrite;
}

/** Writes the first half of what a `writeFile` is called with, whose argument `at` is the data. */
function halfOf(original: Function_, self: unknown, args: unknown[], at: number): () => Promise<void> {
  return async () => {
    const data = args[at];
    if (typeof data === 'string' || data instanceof Uint8Array)
      await original.call(self, ...args.slice(0, at), data.slice(0, data.length / 2));
  };
}

async function copyHalf(from: string, to: string): Promise<void> {
  const { promises } = nodeFs();
  const data = await promises.readFile(from);
  const handle = await promises.open(to, 'wx');
  await handle.write(data, 0, Math.floor(data.length / 2));
  await handle.close();
}

/** The module itself: what an `import` gives is a copy that shows what the module has. */
function nodeFs(): typeof fs {
  return process.getBuiltinModule('node:fs');
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
