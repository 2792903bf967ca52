/** A button of a problem: what it says and what it does. */
export interface Remedy {
  readonly label: string;
  /** Carried out when the button is chosen; its own errors are told like a command's. */
  run(): unknown;
}

/** Something the person has to know and can mend. `message` is a sentence in their language. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    message: string,
    readonly remedies: readonly Remedy[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
