import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import type { Socket } from 'node:net';
import * as os from 'node:os';
import { createInterface } from 'node:readline';
import type { KernelLaunch } from '../../protocol/runner-job';
import { elapsed } from '../../system/deferred';
import { kernelDifferences } from './kernel-differences';
import type { ProcessExit } from '../../system/process-tree';
import type { KernelProcess } from './kernel-process';
import type { KernelPlace } from './launch';
import { endTree } from '../../system/process-tree';

/**
 * Milliseconds for forking a kernel, including the start of the server; after that it is started without the server.
 */
const ANSWER_TIMEOUT = 20_000;

/** A line from the server's program; `status` is that of wait(2). */
type Answer = ['forked', pid: number] | ['refused'] | ['ended', pid: number, status: number];

/**
 * A process that has loaded what a kernel loads when it starts, and becomes a kernel by fork(2) each time it is asked
 * to. That takes a sixth of the processor time of a start. The server never runs code of a notebook; each kernel begins
 * with its own copy of what was loaded. If a kernel cannot be forked, it is started as usual.
 */
export class KernelForkServer {
  private readonly channel: Socket;
  private readonly kernels = new Map<number, (exit: ProcessExit) => void>();
  private answered: ((answer: Answer | undefined) => void) | undefined;
  private hasEnded = false;

  private constructor(
    /** The name it was requested under, see ControlRequestSchema. */
    readonly name: string,
    private readonly server: ChildProcess,
    /** How many words of a kernel's command line the server replaces; the rest are passed to each kernel. */
    private readonly words: number,
  ) {
    server.once('exit', () => {
      this.ended();
    });
    server.once('error', () => {
      this.ended();
    });
    this.channel = server.stdio[3] as Socket;
    const lines = createInterface({ input: this.channel });
    lines.on('line', (line) => {
      this.receive(JSON.parse(line) as Answer);
    });
    // Ignored: the exit event reports that the server is gone. readline emits errors of the channel once more.
    for (const each of [this.channel, lines]) each.on('error', () => undefined);
  }

  /**
   * Starts a server for kernels like this; undefined if they cannot be forked. Its command line contains the runtime
   * directory, and so do those of its kernels: this is how they are found if the runner is gone, see
   * system/processes.ts.
   */
  static start(
    name: string,
    launch: KernelLaunch,
    {
      workingDirectory,
      runtimeDirectory,
      logFile,
    }: Pick<KernelPlace, 'workingDirectory' | 'runtimeDirectory' | 'logFile'>,
  ): KernelForkServer | undefined {
    const { argv = [], words = 0 } = kernelDifferences(launch).forkServer?.(launch.argv) ?? {};
    const [command, ...args] = argv;
    if (command === undefined) return undefined;
    const log = fs.openSync(logFile, 'a', 0o600);
    try {
      const server = spawn(command, [...args, runtimeDirectory], {
        cwd: workingDirectory,
        env: launch.env,
        // Like those of a kernel, plus the channel.
        stdio: ['ignore', log, log, 'pipe'],
        detached: true,
      });
      return new KernelForkServer(name, server, words);
    } finally {
      fs.closeSync(log);
    }
  }

  /**
   * Forks a kernel; one at a time. Resolves with undefined if that fails: then it must be started in another way.
   * @param argv The whole command line with which it would be started.
   * @param log Receives its stdout and stderr; appended to.
   */
  async fork(argv: readonly string[], cwd: string, log: string): Promise<KernelProcess | undefined> {
    if (this.hasEnded) return undefined;
    const request = { args: argv.slice(this.words), cwd, log };
    const answer = new Promise<Answer | undefined>((resolve) => (this.answered = resolve));
    this.channel.write(`${JSON.stringify(request)}\n`);
    const first = await Promise.race([answer, elapsed(ANSWER_TIMEOUT)]);
    this.answered = undefined;
    if (first?.[0] !== 'forked') {
      this.kill();
      return undefined;
    }
    const [, pid] = first;
    const exited = new Promise<ProcessExit>((resolve) => this.kernels.set(pid, resolve));
    return { pid, exited };
  }

  /** Lets the server exit when its last kernel has ended. */
  end(): void {
    this.channel.write('null\n');
  }

  private kill(): void {
    if (this.server.pid !== undefined && !this.hasEnded) void endTree(this.server.pid);
  }

  private receive(answer: Answer): void {
    if (answer[0] === 'ended') {
      const [, pid, status] = answer;
      this.kernels.get(pid)?.(exitOf(status));
      this.kernels.delete(pid);
    } else {
      this.answered?.(answer);
    }
  }

  /** Without the server, the end of its kernels is no longer reported, so they are ended too. */
  private ended(): void {
    this.hasEnded = true;
    this.answered?.(undefined);
    for (const [pid, resolve] of this.kernels) {
      void endTree(pid);
      resolve({ code: null, signal: 'SIGKILL' });
    }
    this.kernels.clear();
  }
}

/** Exit of a wait(2) status: the signal is in its lowest seven bits, the exit code above the lowest eight. */
export function exitOf(status: number): ProcessExit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: status >> 8, signal: null };
  const names = Object.entries(os.constants.signals) as [NodeJS.Signals, number][];
  return { code: null, signal: names.find(([, number]) => number === signal)?.[0] ?? 'SIGKILL' };
}
