import * as vscode from 'vscode';
import { readNotebook } from '../../notebook/document';
import { type JsonObject, type JsonValue, stringifyJson } from '../../notebook/json';
import type { Cell, Output } from '../../notebook/model';
import { cellOutcome } from './cell-outcome';

/*
 * Converts notebooks into the same shape as VS Code's built-in ipynb support, so that other extensions understand them:
 * where nbformat's metadata is kept, what renderers receive. The built-in support cannot be called for this: sending it
 * the whole content and receiving it back takes longer than all other steps of opening a large output.
 */

/**
 * Reads an .ipynb document for the editor.
 * @throws NotebookError if it is not a notebook.
 */
export function notebookData(content: Uint8Array): vscode.NotebookData {
  const { cells, metadata, nbformat, nbformat_minor } = readNotebook(content).notebook;
  const language = languageOf(metadata);
  const data = new vscode.NotebookData(cells.map((cell) => cellData(cell, language)));
  data.metadata = { nbformat, nbformat_minor, metadata: plain(metadata) };
  return data;
}

function cellData(cell: Cell, language: string): vscode.NotebookCellData {
  const { id, source } = cell;
  const metadata = { id, metadata: plain(cell.metadata) };
  if (cell.cell_type === 'code') {
    const data = new vscode.NotebookCellData(
      vscode.NotebookCellKind.Code,
      source,
      textAt(cell.metadata, 'vscode', 'languageId') ?? language,
    );
    data.metadata = { ...metadata, execution_count: cell.execution_count };
    data.outputs = cell.outputs.map(outputData);
    data.executionSummary = {
      ...(cell.execution_count === null ? {} : { executionOrder: cell.execution_count }),
      ...cellOutcome(cell),
    };
    return data;
  }
  const isMarkdown = cell.cell_type === 'markdown';
  const kind = isMarkdown ? vscode.NotebookCellKind.Markup : vscode.NotebookCellKind.Code;
  const data = new vscode.NotebookCellData(kind, source, cell.cell_type);
  data.metadata =
    cell.attachments === undefined ? metadata : { ...metadata, attachments: plain(cell.attachments) };
  return data;
}

function outputData(output: Output): vscode.NotebookCellOutput {
  const outputType = output.output_type;
  switch (output.output_type) {
    case 'stream': {
      const { name, text } = output;
      const item =
        name === 'stderr'
          ? vscode.NotebookCellOutputItem.stderr(text)
          : vscode.NotebookCellOutputItem.stdout(text);
      return new vscode.NotebookCellOutput([item], { outputType });
    }
    case 'error': {
      const { ename: name, evalue: message, traceback } = output;
      const error = { name, message, stack: traceback.join('\n') };
      return new vscode.NotebookCellOutput([vscode.NotebookCellOutputItem.error(error)], {
        outputType,
        originalError: output,
      });
    }
    case 'display_data':
    case 'execute_result': {
      const isWidget = WIDGET_VIEW in output.data;
      const items = itemsOf(isWidget ? withoutWidget(output.data) : output.data);
      const count = output.output_type === 'execute_result' ? output.execution_count : undefined;
      return new vscode.NotebookCellOutput(items, {
        outputType,
        ...(count === undefined ? {} : { executionCount: count }),
        metadata: plain(output.metadata),
        ...(isWidget ? { originalData: plain(output.data) } : {}),
      });
    }
  }
}

/** MIME type of a live ipywidgets widget. */
const WIDGET_VIEW = 'application/vnd.jupyter.widget-view+json';

/** A widget without its kernel: shown as one of its other representations, else as text that explains it. */
function withoutWidget({ [WIDGET_VIEW]: _, ...others }: JsonObject): JsonObject {
  const { 'text/plain': text, ...rich } = others;
  if (Object.keys(rich).length > 0) return others;
  const sentence = vscode.l10n.t(
    'Widgets are not live in an output. To use this one, choose Open a Copy and run the cells.',
  );
  return { 'text/plain': typeof text === 'string' ? `${text}\n\n${sentence}` : sentence };
}

/** An output as the execution wrote it, for a notebook with a kernel. */
export function originalOutput(output: vscode.NotebookCellOutput): vscode.NotebookCellOutput {
  const { originalData, ...metadata } = output.metadata ?? {};
  return originalData === undefined
    ? output
    : new vscode.NotebookCellOutput(itemsOf(originalData as JsonObject), metadata);
}

function itemsOf(data: JsonObject): vscode.NotebookCellOutputItem[] {
  return Object.entries(data)
    .sort((one, other) => rankOf(one) - rankOf(other))
    .map(([mime, value]) => itemOf(mime, value));
}

function itemOf(mime: string, value: JsonValue): vscode.NotebookCellOutputItem {
  if (typeof value !== 'string') return vscode.NotebookCellOutputItem.text(stringifyJson(value), mime);
  return mime.startsWith('image/') && mime !== 'image/svg+xml'
    ? new vscode.NotebookCellOutputItem(Buffer.from(value, 'base64'), mime)
    : vscode.NotebookCellOutputItem.text(value, mime);
}

/** MIME types that VS Code renders itself, the richest first. */
const ORDER = [
  'text/html',
  'application/javascript',
  'image/gif',
  'text/latex',
  'text/markdown',
  'image/png',
  'image/svg+xml',
  'image/jpeg',
  'application/json',
  'text/plain',
];

/** Sort rank of a representation: MIME types of libraries first, then {@link ORDER}, then unknown or empty ones. */
function rankOf([mime, value]: [string, JsonValue]): number {
  if (value === '') return ORDER.length;
  if (/^application\/(?:vnd\.|vdom\.|geo\+json)/.test(mime)) return -1;
  const index = ORDER.indexOf(mime);
  return index < 0 ? ORDER.length : index;
}

/** VS Code's id for the language of the code cells. */
function languageOf(metadata: JsonObject): string {
  const name = (
    textAt(metadata, 'language_info', 'name') ??
    textAt(metadata, 'kernelspec', 'language') ??
    'python'
  ).toLowerCase();
  if (/^c\+\+\d*$/.test(name)) return 'cpp';
  return name.replace(/^(.)#$/, '$1sharp');
}

function textAt(object: JsonObject, key: string, inner: string): string | undefined {
  const value: unknown = Reflect.get(Object(object[key]) as object, inner);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Plain JSON without {@link JsonNumber}s, which keep the spelling of numbers: the editor only passes plain data on. */
function plain(value: JsonObject): Record<string, unknown> {
  return JSON.parse(stringifyJson(value)) as Record<string, unknown>;
}
