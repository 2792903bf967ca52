/** Known differences between another tool's result and ours, with the reason for ours. */
export interface Difference {
  readonly notebook: string;
  readonly tools: readonly ('nbclient' | 'papermill')[];
  /** The complete place: `verdict`, `cell 3 outputs` … */
  readonly place: RegExp;
  readonly reason: string;
  /** Does not occur in every run. */
  readonly sometimes?: true;
}

const BOTH = ['nbclient', 'papermill'] as const;
const NBCLIENT = ['nbclient'] as const;
const PAPERMILL = ['papermill'] as const;

/* Why papermill's statuses differ. */
const COMPLETED_ALL =
  'papermill marks every cell completed after a time limit or a dead kernel; only what ran is, here';
const COMPLETED_FAILED =
  'papermill marks a cell completed whose error was allowed; it is failed here, and the run goes on';
const COMPLETED_BLANK = 'papermill marks cells completed that it never ran; they stay pending here';
const ANY_ERROR =
  'papermill ends as a failure when any output is an error; here the reply decides, and what is allowed is no failure';

export const DIFFERENCES: readonly Difference[] = [
  {
    notebook: 'order',
    tools: PAPERMILL,
    place: /^cell [345] status$/,
    reason: COMPLETED_BLANK,
  },
  { notebook: 'allow-error-names', tools: PAPERMILL, place: /^cell 0 status$/, reason: COMPLETED_FAILED },
  { notebook: 'allow-errors', tools: PAPERMILL, place: /^cell [02] status$/, reason: COMPLETED_FAILED },
  { notebook: 'raises-exception', tools: PAPERMILL, place: /^cell [0-5] status$/, reason: COMPLETED_FAILED },
  { notebook: 'await', tools: PAPERMILL, place: /^cell 5 status$/, reason: COMPLETED_FAILED },
  { notebook: 'allow-errors', tools: PAPERMILL, place: /^verdict$/, reason: ANY_ERROR },
  { notebook: 'raises-exception', tools: PAPERMILL, place: /^verdict$/, reason: ANY_ERROR },
  { notebook: 'await', tools: PAPERMILL, place: /^verdict$/, reason: ANY_ERROR },
  {
    notebook: 'rich-outputs',
    tools: NBCLIENT,
    place: /^verdict$/,
    reason: 'nbclient tells an error in __repr__ as NoneType; here it has its own name',
  },
  {
    notebook: 'await',
    tools: BOTH,
    place: /^cell 3 outputs$/,
    reason: 'they drop what a task prints once its cell has ended; it belongs to that cell and is kept here',
    sometimes: true,
  },
  {
    notebook: 'threads',
    tools: BOTH,
    place: /^cell \d outputs$/,
    reason: 'they drop what a thread prints for a cell that has ended; it is kept here',
    sometimes: true,
  },
  {
    notebook: 'multiprocessing',
    tools: BOTH,
    place: /^cell \d outputs$/,
    reason: 'two processes write at once: whose line break comes first is up to chance',
    sometimes: true,
  },
  {
    notebook: 'raw-file-descriptors',
    tools: BOTH,
    place: /^cell \d outputs$/,
    reason: 'a thread of the kernel reads these bytes: to which cell they come is up to chance',
    sometimes: true,
  },
  { notebook: 'cell-timeout', tools: PAPERMILL, place: /^cell [12] status$/, reason: COMPLETED_ALL },
  { notebook: 'kernel-dies', tools: PAPERMILL, place: /^cell [12] status$/, reason: COMPLETED_ALL },
  {
    notebook: 'cell-timeout',
    tools: BOTH,
    place: /^cell 1 times$/,
    reason: 'they do not wait for the reply of an interrupted cell',
  },
  {
    notebook: 'cell-timeout',
    tools: PAPERMILL,
    place: /^metadata$/,
    reason: 'papermill writes language_info only where all went well',
  },
  {
    notebook: 'kernel-dies',
    tools: PAPERMILL,
    place: /^metadata$/,
    reason: 'papermill writes language_info only where all went well',
  },
  {
    notebook: 'error',
    tools: NBCLIENT,
    place: /^cell 2 outputs$/,
    reason: 'nbclient leaves old outputs in cells that it does not reach',
  },
  {
    notebook: 'failed-before',
    tools: NBCLIENT,
    place: /^(?:cells|widgets|cell \d .*)$/,
    reason: 'nbclient knows nothing of the marks that papermill leaves; here they are removed',
    sometimes: true,
  },
  {
    notebook: 'exit-zero',
    tools: NBCLIENT,
    place: /^verdict$/,
    reason: 'to nbclient every SystemExit is a failure; without a value or with 0 the notebook wants to end',
  },
  {
    notebook: 'exit-zero',
    tools: PAPERMILL,
    place: /^cell 1 status$/,
    reason: 'papermill takes the run for a success, but the cell for failed',
  },
  {
    notebook: 'failing-magic',
    tools: PAPERMILL,
    place: /^verdict$/,
    reason: 'without an error output papermill does not know the name of the error; the reply has it',
  },
  {
    notebook: 'quit',
    tools: BOTH,
    place: /^cell 2 (?:count|outputs|times|status)$/,
    reason: 'they race on into a kernel that is about to leave; after exit() the run ends here',
    sometimes: true,
  },
  {
    notebook: 'quit',
    tools: BOTH,
    place: /^(?:verdict|metadata)$/,
    reason:
      'on a busy machine they find the kernel gone: a dead kernel to them, and then they know no language_info',
    sometimes: true,
  },
  {
    notebook: 'parameters',
    tools: BOTH,
    place: /^cell 1 source$/,
    reason: 'papermill escapes non-ASCII text; here it stays legible, with the same value',
  },
  {
    notebook: 'streams',
    tools: BOTH,
    place: /^cell [34] outputs$/,
    reason: String.raw`they cut a line at \r, keep \r\n and some \b; here a line is what a terminal would show`,
  },
  {
    notebook: 'magics',
    tools: BOTH,
    place: /^cell 7 outputs$/,
    reason: String.raw`a shell command ends its lines with \r\n, which they keep; a terminal shows a line break`,
  },
  {
    notebook: 'magics',
    tools: BOTH,
    place: /^cell 18 outputs$/,
    reason: 'they drop what a pager would show; here it is kept',
  },
  {
    notebook: 'kernel-dies',
    tools: BOTH,
    place: /^cell 1 outputs$/,
    reason: 'they leave a stream in pieces when the kernel dies',
    sometimes: true,
  },
  {
    notebook: 'large-outputs',
    tools: BOTH,
    place: /^cell 3 outputs$/,
    reason: 'they join all of stdout and all of stderr; here their order stays',
  },
  {
    notebook: 'large-outputs',
    tools: BOTH,
    place: /^(?:verdict|metadata|cell \d (?:outputs|times|count|status))$/,
    reason:
      'they fall behind a kernel that prints fast, and lose outputs and states, or time out; nothing is lost here',
    sometimes: true,
  },
];
