import { elapsed } from '../system/deferred';
import type { ExecuteRequest, KernelClient } from './kernel/kernel-client';

/** How long to wait for the end of a cell after its reply, milliseconds. */
export interface IdleTimeouts {
  /** For the idle message, if nothing delays it; then the run continues with a warning. */
  readonly idle: number;
  /** For the idle message, while large messages before it are being transferred. */
  readonly transfer: number;
}

/** Waits for the idle message of one cell after the other. */
export class IdleWait {
  /** Number of iopub messages when the channel was last found to be silent. */
  private silentAt: number | undefined;

  constructor(
    private readonly kernel: KernelClient,
    private readonly timeouts: IdleTimeouts,
  ) {}

  /**
   * Waits for the idle message of a cell that has replied. A large message before it may delay it, and is only noticed
   * once it is complete. A second connection is not delayed by it: if a message arrives there, the idle is still to
   * come.
   * @returns false if the idle message has not come and is no longer expected.
   */
  async hasArrived({ idle }: ExecuteRequest): Promise<boolean> {
    const { kernel, timeouts } = this;
    // The kernel was silent before: wait only as long as its messages need to arrive after its reply. Later messages
    // are recorded whenever they arrive.
    if (kernel.iopubMessages === this.silentAt) {
      if (await isFirst(idle, elapsed(timeouts.idle / 40))) return true;
      if (kernel.iopubMessages === this.silentAt) return false;
    }
    if (await isFirst(idle, elapsed(timeouts.idle / 4))) return true;
    const before = kernel.iopubMessages;
    const probe = kernel.probeIopub();
    try {
      if (await isFirst(idle, responsiveTime((timeouts.idle * 3) / 4))) return true;
      const isSilent = !probe.isHeard && kernel.iopubMessages === before;
      const passed = Promise.race([probe.passed, responsiveTime(isSilent ? 0 : timeouts.transfer)]);
      if (await isFirst(idle, passed)) return true;
      if (!probe.hasPassed) this.silentAt = kernel.iopubMessages;
      return false;
    } finally {
      probe.end();
    }
  }
}

/** Parts of a wait. Between two of them, messages that have arrived are read. */
const PIECES = 10;

/** Resolves after so many milliseconds, not counting times when this process is busy and reads no messages. */
async function responsiveTime(milliseconds: number): Promise<void> {
  for (let piece = 0; piece < PIECES; piece++) await elapsed(milliseconds / PIECES);
}

/** Whether the first of these resolves before the second. */
function isFirst(first: Promise<unknown>, second: Promise<unknown>): Promise<boolean> {
  return Promise.race([first.then(() => true), second.then(() => false)]);
}
