import * as vscode from 'vscode';
import { executionIdOf } from '../../execution/execution-name';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf, parseTime } from '../../wording/execution-facts';

export const OUTPUT_SCHEME = 'notebook-execution';

/**
 * The notebook type of these documents, contributed in package.json. It is not that of Jupyter notebooks: kernels are
 * offered for that one, and results that a kernel puts into a document would not be the execution's.
 */
export const OUTPUT_NOTEBOOK = 'notebook-execution';

/** What a document shows of an execution: its output, the output without its largest parts, or its input. */
export type DocumentKind = 'output' | 'trimmed' | 'input';

export interface OutputAddress {
  readonly kind: DocumentKind;
  readonly serviceId: string;
  /** Resource name of the execution. */
  readonly name: string;
}

/**
 * The address of a document; the same for the same execution, in every window and after a restart. The path is what
 * tabs and breadcrumbs show: its end is what VS Code knows the notebook type by, and of documents with one name the tab
 * shows the folder, which says when each was submitted. The query says which execution it is.
 */
export function outputUri(kind: DocumentKind, { service, execution }: TrackedExecution): vscode.Uri {
  const name = notebookNameOf(execution).replaceAll(/[/\\]/g, '_');
  const created = parseTime(execution.createTime);
  const folder = created === undefined ? executionIdOf(execution.name) : localTime(new Date(created));
  return vscode.Uri.from({
    scheme: OUTPUT_SCHEME,
    path: `/${folder}/${name}.ipynb (${kind})`,
    query: new URLSearchParams({ kind, service: service.id, name: execution.name }).toString(),
  });
}

/** `2026-01-31 23:59:59`, whatever the language is: an address must not change with it. */
function localTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** Which execution a document shows; undefined for an address that is none of ours. */
export function parseOutputUri(uri: vscode.Uri): OutputAddress | undefined {
  const query = new URLSearchParams(uri.query);
  const kind = query.get('kind');
  const serviceId = query.get('service');
  const name = query.get('name');
  const isKind = kind === 'output' || kind === 'trimmed' || kind === 'input';
  if (uri.scheme !== OUTPUT_SCHEME || !isKind || serviceId === null || name === null) return undefined;
  return { kind, serviceId, name };
}
