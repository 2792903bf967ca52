import { spawn, type ChildProcess } from 'node:child_process';
import { nodeEnvironment } from '../system/processes';

/**
 * What keeps a machine from going to sleep while it runs: systemd-inhibit(1), caffeinate(8). Each holds its lock as long as
 * the command it is given runs. That command is `cat`, which ends with its input, a pipe of this process: the lock can
 * not outlive the service, however that dies.
 */
const COMMANDS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  linux: [
    'systemd-inhibit',
    '--what=sleep:idle',
    '--mode=block',
    '--who=Notebook Executions',
    '--why=A notebook is being executed',
    'cat',
  ],
  darwin: ['caffeinate', '-i', 'cat'],
};

/** Runs that are over sooner need no protection, and are not to wait for the start of a process; milliseconds. */
const DELAY_MS = 1000;

/** Keeps the machine awake while executions run, where the system offers a way. */
export class KeepAwake {
  #timer: NodeJS.Timeout | undefined;
  #blocker: ChildProcess | undefined;
  /** It did not work once, and is not tried again: a container has no login manager to ask. */
  #unavailable = false;

  constructor(
    /** Whether it is wanted; asked anew each time. */
    private readonly wanted: () => boolean,
    private readonly log: (message: string) => void,
    private readonly platform: NodeJS.Platform = process.platform,
  ) {}

  /** To be called when executions have begun or ended, and when the setting may have changed. */
  update(running: boolean): void {
    if (!running || !this.wanted()) {
      this.#end();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#begin();
    }, DELAY_MS).unref();
  }

  #begin(): void {
    const command = COMMANDS[this.platform];
    if (command === undefined || this.#unavailable || this.#blocker !== undefined) return;
    const [program, ...args] = command;
    const blocker = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: nodeEnvironment(),
    });
    this.#blocker = blocker;
    let said = '';
    const failed = (why: string): void => {
      if (this.#blocker !== blocker) return;
      this.#blocker = undefined;
      this.#unavailable = true;
      this.log(`the machine is not kept awake: ${program}: ${said.trim() || why}`);
    };
    blocker.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 300)));
    // Writing nothing, it can only fail because the process is gone, which `exit` tells.
    blocker.stdin.on('error', () => undefined);
    blocker.once('error', (error) => {
      failed(error.message);
    });
    blocker.once('close', (code, signal) => {
      failed(signal ?? `exit code ${code ?? 'unknown'}`);
    });
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const blocker = this.#blocker;
    this.#blocker = undefined;
    blocker?.stdin?.end();
  }
}
