import * as vscode from 'vscode';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from '../tracking/clock';
import type { ExecutionStore, TrackedExecution } from '../tracking/execution-store';
import { notebookNameOf } from '../wording/execution-facts';
import { oneLine, plainText } from '../wording/text';

/** How long after one look at a growing log the next one follows, in milliseconds. */
const FOLLOW = 1000;
/** So many channels are kept; the one shown longest ago goes first. */
const KEPT = 5;

interface Following {
  readonly channel: vscode.OutputChannel;
  offset: number;
  timer: Disposable | undefined;
  ended: boolean;
  /** It was said that there is nothing yet. */
  saidEmpty: boolean;
}

/** Logs of kernels in output channels, one an execution, which follow while it runs. */
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
   * Shows the log and follows it until the execution has ended.
   * @throws ServiceError of the first reading; later ones end the following and are told in the channel.
   */
  async show(tracked: TrackedExecution): Promise<void> {
    const known = this.channels.get(tracked.key);
    const following = known ?? this.create(tracked);
    // Put last: it is the one shown most recently.
    this.channels.delete(tracked.key);
    this.channels.set(tracked.key, following);
    const [oldest] = this.channels.keys();
    if (this.channels.size > KEPT && oldest !== undefined) this.close(oldest);
    following.channel.show(true);
    if (known === undefined || following.ended) {
      // Until the first reading has succeeded: shown again, it is read again.
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
    const channel = vscode.window.createOutputChannel(vscode.l10n.t('Kernel Log: {0}', name));
    return { channel, offset: 0, timer: undefined, ended: false, saidEmpty: false };
  }

  private close(key: string): void {
    const following = this.channels.get(key);
    this.channels.delete(key);
    following?.timer?.dispose();
    following?.channel.dispose();
  }

  /** Reads on to the end of what there is, then again later while the execution runs. */
  private async read(tracked: TrackedExecution, following: Following): Promise<void> {
    const { key, service } = tracked;
    // Known before the reading: what is written at the very end is then still read.
    const ended = isTerminal((this.store.get(key) ?? tracked).execution.state);
    for (;;) {
      const chunk = await service.readLog(tracked.execution, following.offset);
      if (this.channels.get(key) !== following) return;
      if (chunk.nextOffset <= following.offset) break;
      following.offset = chunk.nextOffset;
      following.channel.append(plainText(chunk.text, Infinity));
    }
    if (ended) {
      if (following.offset === 0)
        following.channel.appendLine(vscode.l10n.t('The kernel has written nothing.'));
      following.ended = true;
      return;
    }
    if (following.offset === 0 && !following.saidEmpty) {
      following.saidEmpty = true;
      following.channel.appendLine(vscode.l10n.t('The kernel has written nothing yet.'));
    }
    following.ended = false;
    following.timer = this.clock.after(FOLLOW, () => {
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
