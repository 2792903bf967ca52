import type { Disposable } from './clock';

/** Subscribes to something; the shape of VS Code's own events. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** Like VS Code's EventEmitter, for code that also runs without the editor. */
export class Emitter<T> implements Disposable {
  private readonly listeners = new Set<{ call: (value: T) => void }>();

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener };
    this.listeners.add(entry);
    return { dispose: () => this.listeners.delete(entry) };
  };

  /** Calls every listener; if one throws, the others are still called. */
  fire(value: T): void {
    for (const listener of [...this.listeners]) {
      try {
        listener.call(value);
      } catch (error) {
        setImmediate(() => {
          throw error;
        });
      }
    }
  }

  dispose(): void {
    this.listeners.clear();
  }
}
