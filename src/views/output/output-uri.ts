import * as vscode from 'vscode';
import { executionIdOf } from '../../execution/execution-name';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf, parseTime } from '../../wording/execution-facts';

export const OUTPUT_SCHEME = 'notebook-execution';

/**
 * The notebook type of these documents, contributed in package.json. It differs from that of Jupyter notebooks: VS Code
 * would offer kernels for that type, and a kernel's results in a document would not belong to the execution.
 */
export const OUTPUT_NOTEBOOK = 'notebook-execution';

/** What a document shows: the output, the output without its largest parts, or the input of an execution. */
export type DocumentKind = 'output' | 'trimmed' | 'input';

export interface OutputAddress {
  readonly kind: DocumentKind;
  readonly serviceId: string;
  /** Resource name of the execution. */
  readonly name: string;
}

/**
 * The URI of a document. It is the same for the same execution in every window and after a restart. Tabs and
 * breadcrumbs show the path. Its extension determines the notebook type. Its folder is the time of submission: VS Code
 * shows the folder to distinguish tabs with the same name. The query identifies the execution.
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

/** Local time like `2026-01-31 23:59:59`, independent of the language, because a URI must not change with it. */
function localTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** The execution that a document shows; undefined for other URIs. */
export function parseOutputUri(uri: vscode.Uri): OutputAddress | undefined {
  const query = new URLSearchParams(uri.query);
  const kind = query.get('kind');
  const serviceId = query.get('service');
  const name = query.get('name');
  const isKind = kind === 'output' || kind === 'trimmed' || kind === 'input';
  if (uri.scheme !== OUTPUT_SCHEME || !isKind || serviceId === null || name === null) return undefined;
  return { kind, serviceId, name };
}
