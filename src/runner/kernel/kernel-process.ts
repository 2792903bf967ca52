import type { ChildProcess } from 'node:child_process';
import type { ProcessExit } from '../../system/process-tree';

/** The process of a kernel. It leads its own process group. */
export interface KernelProcess {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
}

/** A kernel that is a child of this process. */
export function childKernel(child: ChildProcess): KernelProcess {
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
  return { pid: child.pid, exited };
}
