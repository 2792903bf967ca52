import type { ExecutionWarning } from '../execution/execution';
import { prepareForRun, readNotebook } from '../notebook/document';
import type { Notebook } from '../notebook/model';
import type { RunnerJob } from './job';
import { markPending } from './output-document';

/** A notebook that is ready to be run. */
export interface PreparedNotebook {
  readonly notebook: Notebook;
  readonly warnings: ExecutionWarning[];
  /** JSON text for `metadata.papermill`: what is known before the run. */
  readonly description: string;
}

/** @throws NotebookError, ParametersError */
export function prepareNotebook(bytes: Uint8Array, job: RunnerJob): PreparedNotebook {
  const { notebook, warnings } = readNotebook(bytes);
  prepareForRun(notebook);
  markPending(notebook);
  return {
    notebook,
    warnings,
    description: JSON.stringify({
      input_path: job.inputPath,
      output_path: job.outputPath,
      parameters: {},
      default_parameters: {},
    }),
  };
}
