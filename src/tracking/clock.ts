/** Something that is given back once; calling `dispose` again does nothing. */
export interface Disposable {
  dispose(): void;
}

/** Time as the tracking sees it; tests pass one that they move themselves. */
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
