/** Lets so much work be done at the same time; more waits for its turn. */
export class Gate {
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param most work that is done at the same time. */
  constructor(private readonly most: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.most) this.#busy++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next that waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }
}
