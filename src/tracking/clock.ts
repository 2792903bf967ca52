/** A resource to release; calling `dispose` again has no effect. */
export interface Disposable {
  dispose(): void;
}

/** Time source of the tracking; tests pass one that they control. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `milliseconds`, unless disposed before. */
  after(milliseconds: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return {
      dispose: () => {
        clearTimeout(timer);
      },
    };
  },
};
