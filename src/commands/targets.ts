import * as vscode from 'vscode';
import { OUTPUT_SCHEME, parseOutputUri, type OutputAddress } from '../views/output/output-uri';

/**
 * The notebooks that a command is meant for: the ones selected in the Explorer, the tab's, the toolbar's, or the active
 * one; none where there is none of these. What else is selected beside notebooks is left out.
 */
export function notebookTargets(args: readonly unknown[]): vscode.Uri[] {
  const [first, second] = args;
  const selected: unknown[] = Array.isArray(second) ? second : [];
  const uris = selected.filter((item) => item instanceof vscode.Uri).filter(isNotebook);
  if (uris.length > 0) {
    return uris;
  }
  const one = first instanceof vscode.Uri ? first : (toolbarNotebook(first) ?? activeNotebook());
  return one === undefined ? [] : [one];
}

/** The notebook of the active editor, whatever shows it. */
export function activeNotebook(): vscode.Uri | undefined {
  const editor = vscode.window.activeNotebookEditor;
  if (editor?.notebook.notebookType === 'jupyter-notebook' && editor.notebook.uri.scheme !== OUTPUT_SCHEME) {
    return editor.notebook.uri;
  }
  const input: unknown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return (input instanceof vscode.TabInputNotebook ||
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom) &&
    isNotebook(input.uri)
    ? input.uri
    : undefined;
}

/** A notebook that can be executed: documents of executions are results, not sources. */
export function isNotebook(uri: vscode.Uri): boolean {
  return uri.path.toLowerCase().endsWith('.ipynb') && uri.scheme !== OUTPUT_SCHEME;
}

/** A notebook of an execution that is open. */
export interface OpenDocument {
  readonly document: vscode.NotebookDocument;
  readonly address: OutputAddress;
}

/**
 * The notebook of an execution that a command is meant for: the one given, the toolbar's, or, where nothing was given, the
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

/** Notebook toolbars hand over `{ notebookEditor: { notebookUri } }`. */
function toolbarNotebook(argument: unknown): vscode.Uri | undefined {
  const editor = propertyOf(argument, 'notebookEditor');
  const uri = propertyOf(editor, 'notebookUri');
  return uri instanceof vscode.Uri ? uri : undefined;
}

export function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
