import * as vscode from 'vscode';
import { OUTPUT_SCHEME, parseOutputUri, type OutputAddress } from '../views/output/output-uri';

/**
 * The notebooks that a command applies to: those selected in the Explorer, else the one of the tab or toolbar, else the
 * active one; empty if there is none. Selected files that are not notebooks are ignored.
 */
export function notebookTargets(args: readonly unknown[]): vscode.Uri[] {
  const [first, second] = args;
  const selected: unknown[] = Array.isArray(second) ? second : [];
  const uris = selected.filter((item) => item instanceof vscode.Uri).filter(isNotebook);
  if (uris.length > 0) return uris;
  const one = first instanceof vscode.Uri ? first : (toolbarNotebook(first) ?? activeNotebook());
  return one === undefined ? [] : [one];
}

/** The notebook of the active editor, whether it is a notebook editor or another one. */
export function activeNotebook(): vscode.Uri | undefined {
  const editor = vscode.window.activeNotebookEditor;
  if (editor?.notebook.notebookType === 'jupyter-notebook' && editor.notebook.uri.scheme !== OUTPUT_SCHEME)
    return editor.notebook.uri;
  const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return (input instanceof vscode.TabInputNotebook ||
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom) &&
    isNotebook(input.uri)
    ? input.uri
    : undefined;
}

/** Whether a URI is a notebook that can be executed. Documents of executions are results and cannot. */
export function isNotebook(uri: vscode.Uri): boolean {
  return uri.path.toLowerCase().endsWith('.ipynb') && uri.scheme !== OUTPUT_SCHEME;
}

/** An open document of an execution. */
export interface OpenDocument {
  readonly document: vscode.NotebookDocument;
  readonly address: OutputAddress;
}

/**
 * The document of an execution that a command applies to: the given one or that of the toolbar; without argument, the
 * active one.
 */
export function openDocument(argument: unknown): OpenDocument | undefined {
  const given = argument instanceof vscode.Uri ? argument : toolbarNotebook(argument);
  const document =
    argument === undefined
      ? vscode.window.activeNotebookEditor?.notebook
      : vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === given?.toString());
  const address = document === undefined ? undefined : parseOutputUri(document.uri);
  return document === undefined || address === undefined ? undefined : { document, address };
}

/** Notebook toolbars pass `{ notebookEditor: { notebookUri } }`. */
function toolbarNotebook(argument: unknown): vscode.Uri | undefined {
  const editor = propertyOf(argument, 'notebookEditor');
  const uri = propertyOf(editor, 'notebookUri');
  return uri instanceof vscode.Uri ? uri : undefined;
}

export function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
