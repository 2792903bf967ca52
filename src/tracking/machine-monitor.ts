import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { ServiceError } from '../execution/errors';
import type { ServiceInfo, MachineService } from '../execution/machine';
import { isTerminal } from '../execution/states';
import type { Clock, Disposable } from './clock';
import { Emitter } from './emitter';
import type { ExecutionStore } from './execution-store';

/** Milliseconds between requests for the service's information while the executions are visible. */
const LOOK = 5000;

export interface MachineMonitorOptions {
  readonly machine: Pick<MachineService, 'id' | 'info'>;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  /** A folder shared by all windows of this machine; records which notices were shown. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** Keeps the information that this machine's service reports about itself, and fires each notice for the user once. */
export class MachineMonitor implements Disposable {
  private readonly changed = new Emitter<undefined>();
  private readonly retained = new Emitter<NonNullable<ServiceInfo['retention']>>();
  private readonly hung = new Emitter<undefined>();
  /** Fires when {@link info} has changed. */
  readonly onDidChange = this.changed.event;
  /** Fires in one window, and once, when executions were deleted because of their age or size. */
  readonly onDidRetain = this.retained.event;
  /** Fires when the service has stopped answering; again only after it has answered. */
  readonly onDidHang = this.hung.event;
  private current: ServiceInfo | undefined;
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
        // Another error does not show whether the service hangs.
        if (hanging || error === undefined) this.hanging = hanging;
      }),
    ];
  }

  /** Last information from the service; undefined if none runs or it does not answer. */
  get info(): ServiceInfo | undefined {
    return this.current;
  }

  /** The executions have become visible in this window, or are no longer visible. */
  setWatched(watched: boolean): void {
    if (watched === this.watched) return;
    this.watched = watched;
    this.timer?.dispose();
    if (watched) void this.refresh();
  }

  /**
   * Requests the information now; resolves when it has arrived. Never rejects: the store reports that the service
   * hangs.
   */
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

  /** True in the one window that may show the notice. */
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

/** True for the error of a service that runs but does not answer. */
export function isHanging(error: Error): boolean {
  return error instanceof ServiceError && error.reason === 'serviceNotResponding';
}
