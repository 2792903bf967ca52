/** A button of a problem: its label and its action. */
export interface Remedy {
  readonly label: string;
  /** Runs when the user chooses the button. Its own errors are reported like those of a command. */
  run(): unknown;
}

/** An error that the user should know about and can resolve. `message` is a sentence in the user's language. */
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
