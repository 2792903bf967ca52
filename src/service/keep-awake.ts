import { spawn, type ChildProcess } from 'node:child_process';
import { nodeEnvironment } from '../system/processes';

/**
 * Commands that keep the machine awake: systemd-inhibit(1), caffeinate(8). Each holds its lock while the command that
 * it was given runs. That command is `cat`, which ends with its input, a pipe from this process: the lock cannot
 * outlive the service, however it ends.
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

/** Delay before the machine is kept awake, milliseconds: shorter runs do not need it, and should not wait for it. */
const DELAY_MS = 1000;

/** Keeps the machine awake while executions run, if the system supports it. */
export class KeepAwake {
  private timer: NodeJS.Timeout | undefined;
  private blocker: ChildProcess | undefined;
  /** The command failed once and is not tried again: in a container, for example, there is no login manager. */
  private unavailable = false;

  constructor(
    /** Whether the setting is on; read again each time. */
    private readonly wanted: () => boolean,
    private readonly log: (message: string) => void,
    private readonly platform: NodeJS.Platform = process.platform,
  ) {}

  /** Call this when executions have started or ended, and when the setting may have changed. */
  update(running: boolean): void {
    if (!running || !this.wanted()) {
      this.end();
      return;
    }
    this.timer ??= setTimeout(() => {
      this.begin();
    }, DELAY_MS).unref();
  }

  private begin(): void {
    const command = COMMANDS[this.platform];
    if (command === undefined || this.unavailable || this.blocker !== undefined) return;
    const [program, ...args] = command;
    const blocker = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: nodeEnvironment(),
    });
    this.blocker = blocker;
    let stderr = '';
    const failed = (why: string): void => {
      if (this.blocker !== blocker) return;
      this.blocker = undefined;
      this.unavailable = true;
      this.log(`cannot keep the machine awake: ${program}: ${stderr.trim() || why}`);
    };
    blocker.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, 300)));
    // Nothing is written, so an error means that the process is gone, which `close` reports too.
    blocker.stdin.on('error', () => undefined);
    blocker.once('error', (error) => {
      failed(error.message);
    });
    blocker.once('close', (code, signal) => {
      failed(signal ?? `exit code ${code ?? 'unknown'}`);
    });
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const blocker = this.blocker;
    this.blocker = undefined;
    blocker?.stdin?.end();
  }
}
