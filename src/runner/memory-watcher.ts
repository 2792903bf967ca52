import { isMemoryShort, peakMemory, treeMemory } from '../system/processes';

/** Milliseconds until the first measurement: early, so that a kernel that dies soon is measured too. */
const FIRST = 50;
/** Milliseconds between two measurements; fewer if there is a limit. */
const INTERVAL = 1000;
const LIMIT_INTERVAL = 100;

/** Watches the memory of a kernel and its children. */
export class MemoryWatcher {
  private timer: NodeJS.Timeout | undefined;
  private peak = 0;
  /** Whether almost no memory was left at the last measurement. */
  wasShort = false;

  /** @param onLimit Called once, when they use more than `limit` bytes together. */
  constructor(
    private readonly pid: number,
    private readonly limit: number | undefined,
    private readonly onLimit: () => void,
    private readonly isShort: () => boolean = isMemoryShort,
  ) {
    this.schedule(FIRST);
  }

  /** The most bytes measured so far; undefined if there was no measurement. */
  get peakBytes(): number | undefined {
    return this.peak === 0 ? undefined : this.peak;
  }

  /** Stops, and takes the kernel's own peak into account. */
  stop(): void {
    clearTimeout(this.timer);
    this.peak = Math.max(this.peak, peakMemory(this.pid) ?? 0);
  }

  private schedule(delay: number): void {
    this.timer = setTimeout(() => {
      void this.measure();
    }, delay).unref();
  }

  private async measure(): Promise<void> {
    const bytes = (await treeMemory(this.pid)) ?? 0;
    this.peak = Math.max(this.peak, bytes);
    this.wasShort = this.isShort();
    if (this.limit !== undefined && bytes > this.limit) this.onLimit();
    else this.schedule(this.limit === undefined ? INTERVAL : LIMIT_INTERVAL);
  }
}
