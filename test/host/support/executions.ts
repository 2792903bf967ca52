import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { EmbeddedExecutionService } from '../../../src/embedded';
import type { Execution } from '../../../src/execution/execution';
import type { WindowParts } from '../../../src/extension';
import { isTerminal } from '../../../src/execution/states';
import type { ExecutionStore } from '../../../src/tracking/execution-store';
import type { ExecutionTreeProvider } from '../../../src/views/explorer/execution-tree-provider';
import type { ExplorerView } from '../../../src/views/explorer/explorer-view';
import type { LogChannels } from '../../../src/views/log-channels';

export const EXTENSION_ID = 'notebook-executions.notebook-executions';

/** The extension under test, activated. */
export async function activated(): Promise<vscode.Extension<unknown>> {
  const extension = vscode.extensions.getExtension<unknown>(EXTENSION_ID);
  assert.ok(extension, 'The extension is not there.');
  await extension.activate();
  return extension;
}

/**
 * Classes as shipped. A test that creates an instance takes the class from here: imported from the sources, it
 * would be bundled with the test, differently from the product.
 */
export function shipped() {
  const parts = vscode.extensions.getExtension<WindowParts | undefined>(EXTENSION_ID)?.exports;
  assert.ok(parts, 'The extension is not active, or does not know that it is tested.');
  const { tracking, views } = parts;
  return {
    ExecutionStore: tracking.store.constructor as typeof ExecutionStore,
    ExecutionTreeProvider: views.explorer.provider.constructor as typeof ExecutionTreeProvider,
    ExplorerView: views.explorer.constructor as typeof ExplorerView,
    LogChannels: views.logs.constructor as typeof LogChannels,
  };
}

/** The embedded service as another client sees it: checks the effects of the extension independently. */
export function otherClient(): EmbeddedExecutionService {
  const extension = vscode.extensions.getExtension<unknown>(EXTENSION_ID);
  assert.ok(extension);
  const { version } = extension.packageJSON as { version: string };
  const dataDirectory = vscode.workspace.getConfiguration('notebookExecutions').get<string>('dataDirectory');
  assert.ok(dataDirectory, 'The tests have a data directory of their own.');
  return new EmbeddedExecutionService({
    dataDirectory,
    version,
    bundles: path.join(extension.extensionPath, 'dist'),
  });
}

/** Resource names of all executions. */
export async function allNames(service: EmbeddedExecutionService): Promise<string[]> {
  const { executions } = await service.list({ pageSize: 1000 });
  return executions.map(({ name }) => name);
}

/** Waits for the end of an execution. */
export async function ended(service: EmbeddedExecutionService, name: unknown): Promise<Execution> {
  assert.equal(typeof name, 'string', `The command answered ${String(name)} in place of a name.`);
  const deadline = Date.now() + 200_000;
  for (;;) {
    const execution = await service.get(String(name));
    if (isTerminal(execution.state)) return execution;
    assert.ok(Date.now() < deadline, `${String(name)} is still ${execution.state}`);
    await delay(50);
  }
}

/** The complete text of a document of an execution. */
export async function textOf(document: ReturnType<EmbeddedExecutionService['readOutput']>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await document)?.read() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** A cell of {@link notebookText}. */
export type TestCell = string | { source: string; tags: string[] };

/** A notebook of nbformat 4.5 as text. */
export function notebookText(cells: readonly TestCell[], metadata: object = PYTHON): string {
  return JSON.stringify({
    cells: cells.map((cell, index) => ({
      cell_type: 'code',
      id: `cell-${String(index)}`,
      metadata: typeof cell === 'string' ? {} : { tags: cell.tags },
      source: typeof cell === 'string' ? cell : cell.source,
      outputs: [],
      execution_count: null,
    })),
    metadata,
    nbformat: 4,
    nbformat_minor: 5,
  });
}
const PYTHON = { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } };

/** The workspace folder that the suite runs in. */
export function workspaceFolder(): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'The suite needs a workspace folder.');
  return folder.uri;
}

/** Writes a file in a new folder below the workspace. */
export async function writeFile(name: string, text: string): Promise<vscode.Uri> {
  const uri = vscode.Uri.joinPath(workspaceFolder(), `test-${randomUUID().slice(0, 8)}`, name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  return uri;
}

/** Sets user settings, and returns a function that removes them again. */
export async function withSettings(
  settings: Readonly<Record<string, unknown>>,
): Promise<() => Promise<void>> {
  const set = async (values: Readonly<Record<string, unknown>>): Promise<void> => {
    for (const [name, value] of Object.entries(values))
      await vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global);
  };
  await set(settings);
  return () => set(Object.fromEntries(Object.keys(settings).map((name) => [name, undefined])));
}
