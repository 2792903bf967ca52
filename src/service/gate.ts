/** Limits how many tasks run at the same time; the others wait for their turn. */
export class Gate {
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param most number of tasks that run at the same time. */
  constructor(private readonly most: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.busy < this.most) this.busy++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The next waiting task takes this place.
      const next = this.waiting.shift();
      if (next === undefined) this.busy--;
      else next();
    }
  }
}
