import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { ServiceError } from '../execution/errors';
import type { MachineInfo, MachineService } from '../execution/machine';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from './clock';
import { Emitter } from './emitter';
import type { ExecutionStore } from './execution-store';

/** How often the service of this machine is asked about itself while somebody looks, in milliseconds. */
const LOOK = 5000;

export interface MachineMonitorOptions {
  readonly machine: Pick<MachineService, 'id' | 'info'>;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  /** A folder that all windows of this machine share; keeps what was told. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** Keeps what the service of this machine says about itself, and tells what the person should know of it, once. */
export class MachineMonitor implements Disposable {
  private readonly changed = new Emitter<undefined>();
  private readonly retained = new Emitter<NonNullable<MachineInfo['retention']>>();
  private readonly hung = new Emitter<undefined>();
  /** Fires when {@link info} has changed. */
  readonly onDidChange = this.changed.event;
  /** Fires when executions were deleted for their age or size; in one window, and once. */
  readonly onDidRetain = this.retained.event;
  /** Fires when the service has stopped answering; again only after it has answered. */
  readonly onDidHang = this.hung.event;
  private current: MachineInfo | undefined;
  private hanging = false;
  private watched = false;
  private disposed = false;
  private asking: Promise<void> | undefined;
  private timer: Disposable | undefined;
  private readonly subscriptions: Disposable[];

  constructor(private readonly options: MachineMonitorOptions) {
    const { store, machine } = options;
    this.subscriptions = [
      store.onDidChange(({ added, changed, removed }) => {
        const ended = changed.some(({ execution }) => isTerminal(execution.state));
        if (ended || (this.watched && added.length + removed.length > 0)) void this.refresh();
      }),
      store.onDidChangeService(() => {
        const error = store.status(machine.id)?.error;
        const hanging = error !== undefined && isHanging(error);
        if (hanging && !this.hanging) this.hung.fire(undefined);
        // Another error says nothing about it.
        if (hanging || error === undefined) this.hanging = hanging;
      }),
    ];
  }

  /** What the service said last; undefined while none runs or it does not answer. */
  get info(): MachineInfo | undefined {
    return this.current;
  }

  /** Somebody looks at the executions, or nobody does any more. */
  setWatched(watched: boolean): void {
    if (watched === this.watched) return;
    this.watched = watched;
    this.timer?.dispose();
    if (watched) void this.refresh();
  }

  /** Asks now; resolves when it is known. Never rejects: that the service does not answer is the store's to tell. */
  async refresh(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
      this.timer?.dispose();
      if (this.watched && !this.disposed)
        this.timer = this.options.clock.after(LOOK, () => void this.refresh());
    });
    await this.asking;
  }

  dispose(): void {
    this.disposed = true;
    this.timer?.dispose();
    for (const each of [...this.subscriptions, this.changed, this.retained, this.hung]) each.dispose();
  }

  private async ask(): Promise<void> {
    const info = await this.options.machine.info().catch((error: unknown) => {
      this.options.log(`The service about itself: ${String(error)}`);
      return undefined;
    });
    if (this.disposed) return;
    this.current = info;
    this.changed.fire(undefined);
    if (info?.retention !== undefined && (await this.claim(info.retention.time)))
      this.retained.fire(info.retention);
  }

  /** True in the one window that is to tell it. */
  private async claim(time: string): Promise<boolean> {
    const { folder, log } = this.options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(path.join(folder, time.replaceAll(/[^\w-]/g, '_')), '', { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
        log(`Told about retention: ${String(error)}`);
      return false;
    }
  }
}

/** True for the error of a service that is there and does not answer. */
export function isHanging(error: Error): boolean {
  return error instanceof ServiceError && error.reason === 'serviceNotResponding';
}
