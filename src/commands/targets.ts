import * as vscode from 'vscode';
import type { TrackedExecution } from '../tracking/execution-store';
import { trackedOf, type MoreNode } from '../views/explorer/nodes';
import { OUTPUT_SCHEME, parseOutputUri, type OutputAddress } from '../views/output/output-uri';

/** What commands apply to. */
export interface CommandTargets {
  /** The command takes no arguments. */
  readonly nothing: undefined;
  readonly executions: ExecutionTarget;
  /** Notebooks to execute; empty if none is selected or active. */
  readonly notebooks: readonly vscode.Uri[];
  /** Folders that are selected in the Explorer. Empty if the command was run elsewhere. */
  readonly folders: readonly vscode.Uri[];
  /** The cell of the menu, else the selected cell of the active notebook. */
  readonly cell: vscode.NotebookCell | undefined;
  /** A document of an execution. */
  readonly document: OpenDocument | undefined;
  /** A cell in the output of an execution. */
  readonly outputCell: OutputCell | undefined;
  /** The row "Load more" of a group; undefined for all executions. */
  readonly moreRow: MoreNode | undefined;
}

/** The executions that a command applies to, by where it was run. */
export type ExecutionTarget =
  /** By its key, in the view: the selected rows. */
  | { readonly from: 'selection' }
  /** In the toolbar of an execution's document. */
  | { readonly from: 'document'; readonly address: OutputAddress }
  /** In the menu of rows: their keys. Empty if the command was run elsewhere, for example in the command palette. */
  | { readonly from: 'rows'; readonly keys: readonly string[] };

/** A cell in the output of an execution. */
export interface OutputCell {
  readonly tracked: TrackedExecution;
  /** Counted from 0. */
  readonly cell: number;
}

/** An open document of an execution. */
export interface OpenDocument {
  readonly document: vscode.NotebookDocument;
  readonly address: OutputAddress;
}

type Parsers = {
  readonly [Kind in keyof CommandTargets]: (args: readonly unknown[]) => CommandTargets[Kind];
};

const PARSERS: Parsers = {
  nothing: () => undefined,
  executions: executionTarget,
  notebooks: notebookTargets,
  folders: ([first, second]) => {
    const selected: unknown[] = Array.isArray(second) && second.length > 0 ? second : [first];
    return selected.filter((item) => item instanceof vscode.Uri);
  },
  cell: ([first]) => cellOf(first),
  document: ([first]) => openDocument(first),
  outputCell: ([row, cell]) => {
    const tracked = trackedOf(row);
    return tracked !== undefined && typeof cell === 'number' ? { tracked, cell } : undefined;
  },
  moreRow: ([row]) =>
    propertyOf(row, 'kind') === 'more' && typeof propertyOf(row, 'id') === 'string'
      ? (row as MoreNode)
      : undefined,
};

/**
 * Determines what a command applies to from its arguments, which menus, keybindings, links, other extensions and this
 * one pass, and from what is active. Unexpected arguments are ignored; never throws.
 */
export function parseTarget<Kind extends keyof CommandTargets>(
  kind: Kind,
  args: readonly unknown[],
): CommandTargets[Kind] {
  return PARSERS[kind](args);
}

/**
 * Rows pass themselves and all selected rows; keybindings pass `{ "selection": true }`; commands of an execution's
 * document pass that document.
 */
function executionTarget([first, second]: readonly unknown[]): ExecutionTarget {
  if (propertyOf(first, 'selection') === true) return { from: 'selection' };

  const address = first === undefined ? undefined : openDocument(first)?.address;
  if (address !== undefined) return { from: 'document', address };

  const rows: unknown[] = Array.isArray(second) && second.length > 0 ? second : [first];
  const keys = rows.map((row) => propertyOf(propertyOf(row, 'tracked'), 'key'));
  return { from: 'rows', keys: keys.filter((key) => typeof key === 'string') };
}

/**
 * The notebooks that a command applies to: those selected in the Explorer, else the one of the tab or toolbar, else the
 * active one; empty if there is none. Selected files that are not notebooks are ignored.
 */
function notebookTargets(args: readonly unknown[]): vscode.Uri[] {
  const [first, second] = args;
  const selected: unknown[] = Array.isArray(second) ? second : [];
  const uris = selected.filter((item) => item instanceof vscode.Uri).filter(isNotebook);
  if (uris.length > 0) return uris;
  const one = first instanceof vscode.Uri ? first : (toolbarNotebook(first) ?? activeNotebook());
  return one === undefined ? [] : [one];
}

/** The notebook of the active editor, whether it is a notebook editor or another one. */
function activeNotebook(): vscode.Uri | undefined {
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

/**
 * The document of an execution that a command applies to: the given one or that of the toolbar; without argument, the
 * active one.
 */
function openDocument(argument: unknown): OpenDocument | undefined {
  const given = argument instanceof vscode.Uri ? argument : toolbarNotebook(argument);
  const document =
    argument === undefined
      ? vscode.window.activeNotebookEditor?.notebook
      : vscode.workspace.notebookDocuments.find(({ uri }) => uri.toString() === given?.toString());
  const address = document === undefined ? undefined : parseOutputUri(document.uri);
  return document === undefined || address === undefined ? undefined : { document, address };
}

/** The cell of the menu, else the selected cell. */
function cellOf(argument: unknown): vscode.NotebookCell | undefined {
  const index = propertyOf(argument, 'index');
  const notebook = propertyOf(propertyOf(argument, 'notebook'), 'uri');
  if (typeof index === 'number' && notebook instanceof vscode.Uri) {
    return vscode.workspace.notebookDocuments
      .find(({ uri }) => uri.toString() === notebook.toString())
      ?.cellAt(index);
  }
  const editor = vscode.window.activeNotebookEditor;
  return editor === undefined || editor.notebook.cellCount === 0
    ? undefined
    : editor.notebook.cellAt(editor.selection.start);
}

/** Notebook toolbars pass `{ notebookEditor: { notebookUri } }`. */
function toolbarNotebook(argument: unknown): vscode.Uri | undefined {
  const editor = propertyOf(argument, 'notebookEditor');
  const uri = propertyOf(editor, 'notebookUri');
  return uri instanceof vscode.Uri ? uri : undefined;
}

/** A property of a value of unknown type; undefined if it has none. */
export function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
