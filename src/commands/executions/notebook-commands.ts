import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Execution } from '../../execution/execution';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../../wording/execution-facts';
import { openCopy } from '../../views/output/output-notebook';
import { oneLine } from '../../wording/text';
import type { Views } from '../../views/views';
import type { CommandMap } from '../command-map';
import { chooseExecutions, type ExecutionContext } from './execution-commands';
import { Problem } from '../../wording/problem';
import { choosePythonKernel } from '../../python/jupyter-kernel';
import { propertyOf, type ExecutionTarget } from '../targets';

type Handled =
  'notebookExecutions.openCopy' | 'notebookExecutions.openSourceCell' | 'notebookExecutions.openNotebook';

/** Commands that open an editable notebook for an execution: its source or a copy of its document. */
export function notebookCommands(
  context: ExecutionContext,
  log: (line: string) => void,
): Pick<CommandMap, Handled> {
  const { documents } = context.views;
  const openSourceOf = async (target: ExecutionTarget, title: string, capability: string) => {
    const [tracked] = await chooseExecutions(context, target, title, capability, false);
    if (tracked !== undefined) await openSource(documents, tracked);
  };
  return {
    'notebookExecutions.openCopy': async (open) => {
      if (open === undefined) throw new Problem(vscode.l10n.t('Open the output of an execution first.'));
      const tracked = context.tracking.store.find(open.address.serviceId, open.address.name);
      await copyWithKernel(open.document, tracked?.execution, log);
    },
    'notebookExecutions.openSourceCell': (target) =>
      openSourceOf(target, vscode.l10n.t('Go to Source Cell'), 'failedCell'),
    'notebookExecutions.openNotebook': (target) =>
      openSourceOf(target, vscode.l10n.t('Open Notebook'), 'hasSource'),
  };
}

/** Opens a copy with the execution's kernel: its kernelspec, or its Python if the Jupyter extension can select it. */
async function copyWithKernel(
  document: vscode.NotebookDocument,
  execution: Execution | undefined,
  log: (line: string) => void,
): Promise<void> {
  const { name, displayName, language } = execution?.runStatus?.kernel ?? {};
  const isInterpreter = name !== undefined && path.isAbsolute(name);
  const own = propertyOf(propertyOf(document.metadata['metadata'], 'kernelspec'), 'name');
  const kernelspec =
    name === undefined || isInterpreter || name === own
      ? undefined
      : { name, display_name: displayName ?? name, ...(language === undefined ? {} : { language }) };
  const copy = await openCopy(document, kernelspec);
  const interpreter = isInterpreter ? name : execution?.runOptions?.interpreter;
  // Not awaited: the copy is already open, and other extensions may be slow.
  if (interpreter !== undefined) void choosePythonKernel(copy.uri, interpreter, log);
}

/** @throws Problem if the notebook no longer exists; its button opens the submitted version. */
async function openSource(documents: Views['documents'], tracked: TrackedExecution): Promise<void> {
  if ((await documents.openSource(tracked)) !== undefined) return;
  throw new Problem(
    vscode.l10n.t(
      'The notebook {0} is no longer where it was submitted from. Its submitted copy is kept with the execution.',
      oneLine(notebookNameOf(tracked.execution), 60),
    ),
    [{ label: vscode.l10n.t('Open Input'), run: () => documents.openInput(tracked) }],
  );
}
