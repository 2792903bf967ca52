import * as path from 'node:path';
import * as vscode from 'vscode';
import { label } from '../../wording/text';
import { isNotebook } from '../targets';

/** How many notebooks of a folder are found at most. */
const MOST_NOTEBOOKS = 500;

/** Hidden folders, including checkpoints, and folders of tools. */
const EXCLUDED = '**/{.*,node_modules,__pycache__}/**';

/** Notebooks in a folder and its subfolders, sorted by path. For a notebook, the notebook itself. */
export async function notebooksIn(uri: vscode.Uri): Promise<vscode.Uri[]> {
  if (uri.path.toLowerCase().endsWith('.ipynb')) return [uri];

  const pattern = new vscode.RelativePattern(uri, '**/*.ipynb');
  const found = await vscode.workspace.findFiles(pattern, EXCLUDED, MOST_NOTEBOOKS);
  return found.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
}

interface NotebookItem extends vscode.QuickPickItem {
  /** Undefined for the example. */
  readonly uri?: vscode.Uri;
}

/** Asks for an open notebook, one of the workspace, or the example, which is last. Undefined if the user cancelled. */
export async function pickNotebook(): Promise<vscode.Uri | 'example' | undefined> {
  const chosen = await vscode.window.showQuickPick(notebookItems(), {
    title: vscode.l10n.t('Execute a Notebook Remotely'),
    placeHolder: vscode.l10n.t('Choose the notebook to execute'),
    matchOnDescription: true,
  });
  return chosen === undefined ? undefined : (chosen.uri ?? 'example');
}

async function notebookItems(): Promise<NotebookItem[]> {
  const open = vscode.workspace.notebookDocuments
    .filter(({ uri, notebookType }) => notebookType === 'jupyter-notebook' && isNotebook(uri))
    .map(({ uri }) => uri);
  const folders = vscode.workspace.workspaceFolders ?? [];
  const found = (await Promise.all(folders.map(({ uri }) => notebooksIn(uri)))).flat();
  const all = new Map([...open, ...found].map((uri) => [uri.toString(), uri]));
  const example: NotebookItem = {
    label: vscode.l10n.t('Example Notebook'),
    description: vscode.l10n.t('throws dice; needs nothing but Python and ipykernel'),
    iconPath: new vscode.ThemeIcon('lightbulb'),
  };
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator };
  return [...[...all.values()].map(notebookItem), ...(all.size === 0 ? [] : [separator]), example];
}

function notebookItem(uri: vscode.Uri): NotebookItem {
  const folder = path.posix.dirname(vscode.workspace.asRelativePath(uri));
  return {
    uri,
    label: label(path.posix.basename(uri.path)),
    iconPath: new vscode.ThemeIcon('notebook'),
    ...(folder === '.' || uri.scheme === 'untitled' ? {} : { description: label(folder) }),
  };
}
