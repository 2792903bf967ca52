import { setImmediate } from 'node:timers/promises';
import type { Clock, Disposable } from '../../../src/tracking/clock';

/** A clock that the test advances. */
export class FakeClock implements Clock {
  private time = Date.parse('2026-01-01T00:00:00Z');
  private timers: { due: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): Disposable {
    const timer = { due: this.time + milliseconds, callback };
    this.timers.push(timer);
    return {
      dispose: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  /** Pending timers, as milliseconds from now, the next one first. */
  waits(): number[] {
    return this.timers.map(({ due }) => due - this.time).sort((one, other) => one - other);
  }

  /** Advances time; due timers run in order, and the work they start is awaited. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await this.flush();
    for (;;) {
      const next = this.timers
        .filter(({ due }) => due <= end)
        .sort((one, other) => one.due - other.due)
        .at(0);
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.time = next.due;
      next.callback();
      await this.flush();
    }
    this.time = end;
  }

  /** File operations are real and take time: the clock advances only when none is pending. */
  private async flush(): Promise<void> {
    do await settle();
    while (process.getActiveResourcesInfo().some((name) => FILE_OPERATIONS.includes(name)));
  }
}

/** Node's names for pending file operations. */
const FILE_OPERATIONS = ['FSReqPromise', 'FSReqCallback', 'CloseReq'];

/** Runs all pending microtasks and immediates. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}
