import type * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/*
 * A failing disk or a power cut, simulated below all file operations of this process. The functions of
 * node:fs are replaced in place, so the product needs no seams for it.
 */

/** Functions of node:fs/promises, node:fs and file handles that change the disk. */
const CHANGING = {
  promises: ['open', 'rename', 'rm', 'rmdir', 'mkdir', 'link', 'copyFile', 'chmod', 'utimes', 'writeFile'],
  sync: ['openSync', 'renameSync', 'rmSync', 'mkdirSync', 'writeFileSync', 'writevSync'],
  handle: ['write', 'writev', 'writeFile', 'datasync', 'sync'],
} as const;

/** A change that is about to be made. */
export interface Change {
  /** The function, `rename`. */
  readonly call: string;
  /** Its first path; for a file handle, that of its file. */
  readonly path: string;
  /** Does the first half of a write, like a disk that loses power in the middle. */
  half(): Promise<void>;
}

/** Called before every change of a file; if it throws, the change fails with that error. Async if the change is. */
export type Interfere = (change: Change) => void | Promise<void>;

/** Orders of a test. */
export interface Orders {
  /** Changes of files whose path or call (`rename /a/b`) matches fail with this code. */
  readonly fail?: { readonly match: string; readonly code: string };
  /** The process dies in the middle of its n-th change of a file after this order; 1 is the first. */
  readonly dieAt?: number;
  /** Only changes whose path or call matches count; those below `executions` when absent. */
  readonly dieIn?: string;
  /** Matching changes wait until the next order, except for changes that this process waits for. */
  readonly hold?: string;
  /** Milliseconds by which its clock is ahead. */
  readonly clock?: number;
}

/** Printed by a process for a change that it holds as ordered. */
export const HOLDS = 'holds';

/** Printed by a process that dies as ordered. */
export const DIES = 'dies at';

type Function_ = (this: unknown, ...args: unknown[]) => unknown;

/** Lets `interfere` decide about each change from now on. @returns a function that restores everything. */
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
    // The next change after a finished one starts within a turn of the event loop.
    for (let quiet = 0; quiet < 3; quiet = underWay === 0 ? quiet + 1 : 0) await setImmediate();
    for (const each of undo.splice(0).reverse()) each();
  };
}

/** Whether the call opens a file read-only. */
function isReading(call: string, [, flags = 'r']: unknown[]): boolean {
  const { O_WRONLY, O_RDWR } = nodeFs().constants;
  const cannotWrite = flags === 'r' || (typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR)) === 0);
  return call.startsWith('open') && cannotWrite;
}

/** Writes the first half of the data of a `writeFile` call, which is the argument `at`. */
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

/** The module itself: an `import` returns a copy of its functions. */
function nodeFs(): typeof fs {
  return process.getBuiltinModule('node:fs');
}

/** An error like those of the system. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
