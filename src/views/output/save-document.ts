import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { Execution } from '../../execution/execution';
import type { OutputDocument } from '../../execution/execution-service';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../../wording/execution-facts';
import { oneLine, withoutLinks } from '../../wording/text';
import { underProgress } from '../../wording/progress';
import { readAll } from '../../execution/read-all';

/**
 * Asks for a file and writes an execution's output to it. Shows a progress notification that can be cancelled. The file
 * is written completely or not at all.
 * @returns the file; undefined if the user cancelled.
 * @throws ServiceError `outputNotFound` if there is no output yet.
 */
export async function saveDocument({
  service,
  execution,
}: TrackedExecution): Promise<vscode.Uri | undefined> {
  const document = await service.readOutput(execution);
  if (document === undefined)
    throw new ServiceError('NOT_FOUND', 'outputNotFound', `${execution.name} has no output yet`);
  const defaultUri = defaultTarget(execution, '-output.ipynb');
  const target = await vscode.window.showSaveDialog({
    filters: { [vscode.l10n.t('Notebooks')]: ['ipynb'] },
    saveLabel: vscode.l10n.t('Save Output'),
    ...(defaultUri === undefined ? {} : { defaultUri }),
  });
  if (target === undefined) return undefined;
  return writeWithProgress(document, target);
}

/**
 * Writes a document to a file as {@link writeDocument} does, with a notification that shows it and can be cancelled.
 * @returns the file; undefined if the user cancelled.
 */
export async function writeWithProgress(
  document: Pick<OutputDocument, 'read'>,
  target: vscode.Uri,
): Promise<vscode.Uri | undefined> {
  const title = vscode.l10n.t('Saving {0}', withoutLinks(oneLine(path.posix.basename(target.path))));
  return underProgress(title, async ({ signal }) => {
    try {
      await writeDocument(document, target, signal);
      return target;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  });
}

/** Writes a document to a file, completely or not at all. Local files are streamed. */
export async function writeDocument(
  document: Pick<OutputDocument, 'read'>,
  target: vscode.Uri,
  signal: AbortSignal,
): Promise<void> {
  if (target.scheme === 'file') await saveFile(target.fsPath, document.read(signal), signal);
  else await vscode.workspace.fs.writeFile(target, await readAll(document, signal));
}

/** Streams into a temporary file beside the target, which replaces the target when it is complete. */
async function saveFile(
  target: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const aside = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID().slice(0, 8)}`);
  try {
    await pipeline(Readable.from(content), createWriteStream(aside, { flags: 'wx' }), { signal });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** A file named after the notebook, in the folder of the source notebook, else in the first workspace folder. */
export function defaultTarget(execution: Execution, ending: string): vscode.Uri | undefined {
  const folder = folderOf(execution.runOptions?.source);
  const name = `${notebookNameOf(execution).replaceAll(/[/\\:*?"<>|]/g, '_')}${ending}`;
  return folder && vscode.Uri.joinPath(folder, name);
}

function folderOf(source: string | undefined): vscode.Uri | undefined {
  if (source?.startsWith('file:') === true) return vscode.Uri.joinPath(vscode.Uri.parse(source), '..');
  return vscode.workspace.workspaceFolders?.[0]?.uri;
}
