/** Texts of a report in the language of the user. */
export interface ReportTexts {
  /** In place of a part of a text; `left` counts the characters. */
  readonly trimmed: (left: number) => string;
  /** In place of an image that is not part of the output; the description may be empty. */
  readonly image: (description: string) => string;
  /** In place of an output of which no type can be shown. */
  readonly unsupported: (types: string) => string;
  /** In place of a chart that has no image, in a report without scripts. */
  readonly chart: string;
  /** Of images, for screen readers. */
  readonly picture: string;
}

/** What a report contains and how. */
export interface ReportOptions {
  readonly title: string;
  /** Short facts below the title, as text. */
  readonly facts: readonly string[];
  /** Language of the texts, such as `en`. */
  readonly language: string;
  /** With the source of code cells. */
  readonly code: boolean;
  /**
   * With the scripts of charts. Each chart runs in a frame of its own, which cannot read the rest of the report. Without
   * it, the report contains no script.
   */
  readonly interactive: boolean;
  /** Values that are masked wherever they occur, see secret-values.ts. */
  readonly secrets: readonly string[];
  readonly texts: ReportTexts;
}
