import * as vscode from 'vscode';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from '../tracking/clock';
import type { ExecutionStore, TrackedExecution } from '../tracking/execution-store';
import { endOf, notebookNameOf } from '../wording/execution-facts';
import { oneLine, plainText } from '../wording/text';

/** How often a growing log is read, and one whose lines arrive late, in milliseconds. */
const FOLLOW = 1000;
const FOLLOW_LATE = 10_000;
/** How long after the end late lines are waited for, in milliseconds. */
const LATE = 60_000;
/** How many channels are kept. The one that was shown least recently is closed first. */
const KEPT = 5;

interface Following {
  readonly channel: vscode.OutputChannel;
  /** Where the next read continues. */
  next: string;
  timer: Disposable | undefined;
  ended: boolean;
  /** Whether the channel already says that there is no output yet. */
  saidEmpty: boolean;
}

/** Logs of executions in output channels, one per execution. They are followed while the execution runs. */
export class LogChannels implements vscode.Disposable {
  private readonly channels = new Map<string, Following>();
  private readonly subscription: Disposable;

  constructor(
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
  ) {
    this.subscription = store.onDidChange(({ removed }) => {
      for (const { key } of removed) this.close(key);
    });
  }

  /**
   * Shows the log and follows it until the execution has ended. If a later read fails, following stops and the channel
   * shows the error.
   * @throws ServiceError if the first read fails.
   */
  async show(tracked: TrackedExecution): Promise<void> {
    const known = this.channels.get(tracked.key);
    const following = known ?? this.create(tracked);
    // Move it to the end: it is the most recently shown one.
    this.channels.delete(tracked.key);
    this.channels.set(tracked.key, following);
    const [oldest] = this.channels.keys();
    if (this.channels.size > KEPT && oldest !== undefined) this.close(oldest);
    following.channel.show(true);
    if (known === undefined || following.ended) {
      // Ended until the first read has succeeded: if that fails, showing the log again reads it again.
      following.ended = true;
      await this.read(tracked, following);
    }
  }

  dispose(): void {
    this.subscription.dispose();
    for (const key of [...this.channels.keys()]) this.close(key);
  }

  private create({ execution }: TrackedExecution): Following {
    const name = oneLine(notebookNameOf(execution), 40);
    const channel = vscode.window.createOutputChannel(vscode.l10n.t('Log: {0}', name));
    return { channel, next: '', timer: undefined, ended: false, saidEmpty: false };
  }

  private close(key: string): void {
    const following = this.channels.get(key);
    this.channels.delete(key);
    following?.timer?.dispose();
    following?.channel.dispose();
  }

  /** Reads to the current end of the log, and schedules the next read while the execution runs. */
  private async read(tracked: TrackedExecution, following: Following): Promise<void> {
    const { key, service } = tracked;
    // Get the state before reading, so that the last lines of an ended execution are still read.
    const { execution } = this.store.get(key) ?? tracked;
    const isLate = service.capabilities.lateLog === true;
    const complete =
      isTerminal(execution.state) && (!isLate || this.clock.now() > (endOf(execution) ?? 0) + LATE);
    for (;;) {
      const chunk = await service.readLog(execution, following.next);
      if (this.channels.get(key) !== following) return;
      if (chunk.next === following.next) break;
      following.next = chunk.next;
      following.channel.append(plainText(chunk.text, Infinity));
    }
    if (complete) {
      if (following.next === '') following.channel.appendLine(vscode.l10n.t('The log is empty.'));
      following.ended = true;
      return;
    }
    if (following.next === '' && !following.saidEmpty) {
      following.saidEmpty = true;
      following.channel.appendLine(vscode.l10n.t('The log is empty so far.'));
    }
    following.ended = false;
    following.timer = this.clock.after(isLate ? FOLLOW_LATE : FOLLOW, () => {
      this.read(tracked, following).catch((error: unknown) => {
        following.ended = true;
        following.channel.appendLine(
          vscode.l10n.t(
            'The log cannot be read: {0}',
            error instanceof Error ? error.message : String(error),
          ),
        );
      });
    });
  }
}
