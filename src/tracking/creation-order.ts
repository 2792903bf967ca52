interface Place {
  readonly key: string;
  readonly created: number;
}

/**
 * The keys of a service's executions, sorted by creation time, so that the executions a page covers are found without a
 * search through all known ones. An execution without a creation time (NaN) is not included.
 */
export class CreationOrder {
  /** Newest first. */
  private readonly places: Place[] = [];

  /** @param created milliseconds since the epoch */
  add(key: string, created: number): void {
    if (Number.isNaN(created)) return;
    this.places.splice(this.firstNotNewer(created), 0, { key, created });
  }

  /** Removes a key that was added with this creation time. */
  delete(key: string, created: number): void {
    for (let index = this.firstNotNewer(created); this.places[index]?.created === created; index++) {
      if (this.places[index]?.key !== key) continue;
      this.places.splice(index, 1);
      return;
    }
  }

  /** Keys created after `oldest` and before `newest`, both exclusive; none if either is NaN. */
  between(oldest: number, newest: number): string[] {
    return this.places
      .slice(this.firstNotNewer(newest), this.firstNotNewer(oldest))
      .filter(({ created }) => created < newest)
      .map(({ key }) => key);
  }

  /** Whether a key was created before a time. */
  hasOlder(than: number): boolean {
    return (this.places.at(-1)?.created ?? Infinity) < than;
  }

  /** Index of the first key that is not newer than a time. */
  private firstNotNewer(time: number): number {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.places[middle]?.created ?? 0) > time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
