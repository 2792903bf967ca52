import { elapsed } from '../system/deferred';
import type { ExecuteRequest, KernelClient } from './kernel/kernel-client';

/** Milliseconds that a cell's end is waited for once its reply is there. */
export interface IdlePatience {
  /** For the idle, where nothing is in its way; then the run goes on, with a warning. */
  readonly idle: number;
  /** For it to come through behind large messages. */
  readonly transfer: number;
}

/** Waits for the idle of one cell after the other. */
export class IdleWait {
  /** Messages of iopub that had come when the channel was found to be silent. */
  private silentAt: number | undefined;

  constructor(
    private readonly kernel: KernelClient,
    private readonly patience: IdlePatience,
  ) {}

  /**
   * Waits for the idle of a cell whose reply is there. A large message may be in its way: it is seen whole or not at all,
   * but a second connection does not wait for it. Where the kernel is heard on either, the idle is still to come.
   * @returns false where it has not come, and is not waited for any longer.
   */
  async hasCome({ idle }: ExecuteRequest): Promise<boolean> {
    const { kernel, patience } = this;
    // A kernel that was found silent: as long as it takes what it says now to come after its reply. What it says later is
    // recorded whenever it comes.
    if (kernel.iopubMessages === this.silentAt) {
      if (await isFirst(idle, elapsed(patience.idle / 40))) return true;
      if (kernel.iopubMessages === this.silentAt) return false;
    }
    if (await isFirst(idle, elapsed(patience.idle / 4))) return true;
    const before = kernel.iopubMessages;
    const probe = kernel.probeIopub();
    try {
      if (await isFirst(idle, spareTime((patience.idle * 3) / 4))) return true;
      const isSilent = !probe.isHeard && kernel.iopubMessages === before;
      const passed = Promise.race([probe.passed, spareTime(isSilent ? 0 : patience.transfer)]);
      if (await isFirst(idle, passed)) return true;
      if (!probe.hasPassed) this.silentAt = kernel.iopubMessages;
      return false;
    } finally {
      probe.end();
    }
  }
}

/** Pieces of a wait. Between two of them what has arrived is read. */
const PIECES = 10;

/** Resolves after so many milliseconds, not counting what this process was busy for: it reads nothing meanwhile. */
async function spareTime(milliseconds: number): Promise<void> {
  for (let piece = 0; piece < PIECES; piece++) await elapsed(milliseconds / PIECES);
}

/** Whether the first of these resolves before the second. */
function isFirst(first: Promise<unknown>, second: Promise<unknown>): Promise<boolean> {
  return Promise.race([first.then(() => true), second.then(() => false)]);
}
