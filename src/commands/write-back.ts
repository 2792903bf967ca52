import { createHash } from 'node:crypto';
import * as path from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { isTerminal } from '../execution/states';
import { readNotebook, writeNotebook } from '../notebook/document';
import type { ExecutionStore, TrackedExecution } from '../tracking/execution-store';
import { readAll } from '../views/output/read-all';
import { captureNotebook } from './notebook-capture';
import { Problem } from './problem';

const KEY = 'notebookExecutions.writeBacks';
const PendingSchema = z.object({
  version: z.literal(1),
  /** By key of the execution. */
  pending: z.record(
    z.string(),
    z.object({
      source: z.string(),
      /** SHA-256 of the notebook as it was submitted. */
      hash: z.string(),
    }),
  ),
});
type Pending = z.infer<typeof PendingSchema>['pending'];

/** Writes the outputs of executions that succeeded into the notebooks they came from, also after a reload. */
export class WriteBackService implements vscode.Disposable {
  private readonly subscription: { dispose(): void };

  constructor(
    store: ExecutionStore,
    private readonly state: vscode.Memento,
    /** Runs an action and tells the person what went wrong. */
    private readonly attempt: (action: () => Promise<void>) => void,
  ) {
    this.subscription = store.onDidChange(({ added, changed }) => {
      for (const tracked of [...added, ...changed]) {
        if (isTerminal(tracked.execution.state)) {
          this.end(tracked);
        }
      }
    });
  }

  /** To be called when the execution was created, with the notebook as it was submitted. */
  async expect(tracked: TrackedExecution, source: vscode.Uri, notebook: Uint8Array): Promise<void> {
    const entry = { source: source.toString(), hash: hashOf(notebook) };
    await this.save({ ...this.read(), [tracked.key]: entry });
    if (isTerminal(tracked.execution.state)) {
      this.end(tracked);
    }
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private end(tracked: TrackedExecution): void {
    const { [tracked.key]: entry, ...others } = this.read();
    if (entry === undefined) {
      return;
    }
    this.attempt(async () => {
      await this.save(others);
      if (tracked.execution.state === 'SUCCEEDED') {
        await writeBack(tracked, vscode.Uri.parse(entry.source), entry.hash);
      }
    });
  }

  private read(): Pending {
    const parsed = PendingSchema.safeParse(this.state.get(KEY));
    return parsed.success ? parsed.data.pending : {};
  }

  private async save(pending: Pending): Promise<void> {
    await this.state.update(KEY, { version: 1, pending });
  }
}

/** @throws Problem where the notebook was edited meanwhile: the person's edits come first. */
async function writeBack(
  { service, execution }: TrackedExecution,
  source: vscode.Uri,
  hash: string,
): Promise<void> {
  const name = path.posix.basename(source.path);
  const current = await captureNotebook(source);
  const open = vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === source.toString());
  if (hashOf(current) !== hash || open?.isDirty === true || source.scheme === 'untitled') {
    throw new Problem(
      vscode.l10n.t(
        '{0} was edited or not saved since it was submitted. The outputs were not written into it.',
        name,
      ),
    );
  }
  const document = await service.readOutput(execution);
  if (document === undefined) {
    throw new Problem(vscode.l10n.t('There is no output to write into {0}.', name));
  }
  await vscode.workspace.fs.writeFile(source, withOutputs(current, await readAll(document)));
}

/** The source with the outputs and counts of the run; cells that the run put in stay out. */
export function withOutputs(source: Uint8Array, output: Uint8Array): Uint8Array {
  const { notebook } = readNotebook(source);
  const ran = new Map(readNotebook(output).notebook.cells.map((cell) => [cell.id, cell]));
  for (const cell of notebook.cells) {
    const done = ran.get(cell.id);
    if (cell.cell_type === 'code' && done?.cell_type === 'code') {
      cell.outputs = done.outputs;
      cell.execution_count = done.execution_count;
    }
  }
  return writeNotebook(notebook);
}

function hashOf(notebook: Uint8Array): string {
  return createHash('sha256').update(notebook).digest('hex');
}
