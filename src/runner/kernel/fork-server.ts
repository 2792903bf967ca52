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

/** Milliseconds for a kernel to be forked, with the start of the server; then one is started without it. */
const PATIENCE = 20_000;

/** A line of the server's program; `status` as wait(2) gives it. */
type Answer = ['forked', pid: number] | ['refused'] | ['ended', pid: number, status: number];

/**
 * A process that has loaded what a kernel loads when it starts, and becomes a kernel by fork(2) as often as it is asked: that
 * takes a sixth of the processor time of a start. It never runs code of a notebook itself; each kernel begins with its own
 * copy of what was loaded. Where it cannot do so, a kernel is started as ever.
 */
export class KernelForkServer {
  private readonly channel: Socket;
  private readonly kernels = new Map<number, (exit: ProcessExit) => void>();
  private answered: ((answer: Answer | undefined) => void) | undefined;
  private hasEnded = false;

  private constructor(
    /** What it was started under, see ControlRequestSchema. */
    readonly name: string,
    private readonly server: ChildProcess,
    /** How many words of a kernel's command line it stands for. */
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
    // That it is gone is told by its exit. An error of the channel is one of its lines, too.
    for (const each of [this.channel, lines]) each.on('error', () => undefined);
  }

  /**
   * Starts one for kernels like this; undefined where they cannot be forked. Its command line names the runtime directory,
   * and so does that of each of its kernels: they are found by it where the runner is gone, see system/processes.ts.
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
        // As a kernel's own, and the channel.
        stdio: ['ignore', log, log, 'pipe'],
        detached: true,
      });
      return new KernelForkServer(name, server, words);
    } finally {
      fs.closeSync(log);
    }
  }

  /**
   * Forks a kernel; one at a time. Answers undefined where there is none: it is to be started in another way then.
   * @param argv The whole command line with which it would be started.
   * @param log Gets its stdout and stderr; appended to.
   */
  async fork(argv: readonly string[], cwd: string, log: string): Promise<KernelProcess | undefined> {
    if (this.hasEnded) return undefined;
    const request = { args: argv.slice(this.words), cwd, log };
    const answer = new Promise<Answer | undefined>((resolve) => (this.answered = resolve));
    this.channel.write(`${JSON.stringify(request)}\n`);
    const first = await Promise.race([answer, elapsed(PATIENCE)]);
    this.answered = undefined;
    if (first?.[0] !== 'forked') {
      this.kill();
      return undefined;
    }
    const [, pid] = first;
    const exited = new Promise<ProcessExit>((resolve) => this.kernels.set(pid, resolve));
    return { pid, exited };
  }

  /** Lets it leave when its last kernel has ended. */
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

  /** Without it nobody hears of its kernels any more. */
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

/** Of a status of wait(2): the signal is in its lowest seven bits, the exit code above the lowest eight. */
export function exitOf(status: number): ProcessExit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: status >> 8, signal: null };
  const names = Object.entries(os.constants.signals) as [NodeJS.Signals, number][];
  return { code: null, signal: names.find(([, number]) => number === signal)?.[0] ?? 'SIGKILL' };
}
