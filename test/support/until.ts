import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition that no event announces: calls `ask` repeatedly until the result is truthy, and returns it.
 * Rejects with `what` if that takes longer than `timeout` milliseconds.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  timeout = 100_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false)
      return answer as Exclude<T, false | null | undefined>;
    if (Date.now() > end) throw new Error(`Waited ${String(timeout / 1000)} s in vain until ${what}.`);
    await delay(50);
  }
}
