import * as vscode from 'vscode';
import type { TrackedExecution } from '../../tracking/execution-store';
import { notebookNameOf } from '../execution-facts';

export const OUTPUT_SCHEME = 'notebook-execution';

/** What a document shows of an execution: its output, the output without its largest parts, or its input. */
export type DocumentKind = 'output' | 'trimmed' | 'input';

export interface OutputAddress {
  readonly kind: DocumentKind;
  readonly serviceId: string;
  /** Resource name of the execution. */
  readonly name: string;
}

/** `/{kind}/{service id}/projects/…/locations/…/{collection}/{id}/{file name}`; service ids may contain slashes. */
const PATH = /^\/(output|trimmed|input)\/(.+)\/(projects\/[^/]+\/locations\/[^/]+\/[^/]+\/[^/]+)\/[^/]+$/;

/** The address of a document; the same for the same execution, in every window and after a restart. */
export function outputUri(kind: DocumentKind, { service, execution }: TrackedExecution): vscode.Uri {
  const name = notebookNameOf(execution).replaceAll(/[/\\]/g, '_');
  const file = `${name} (${kind}).ipynb`;
  return vscode.Uri.from({
    scheme: OUTPUT_SCHEME,
    path: `/${kind}/${service.id}/${execution.name}/${file}`,
  });
}

/** Which execution a document shows; undefined for a path that is none of ours. */
export function parseOutputUri(uri: vscode.Uri): OutputAddress | undefined {
  const [, kind, serviceId, name] = PATH.exec(uri.path) ?? [];
  if (uri.scheme !== OUTPUT_SCHEME || serviceId === undefined || name === undefined) return undefined;
  return { kind: kind as DocumentKind, serviceId, name };
}
