import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from './paths';

/** The notebooks that `npm start` and the tests open. */
const EXAMPLES = path.join(ROOT, 'media/examples');

/** Creates a workspace folder with copies of the example notebooks. */
export async function copyExamples(folder?: string): Promise<string> {
  const workspace = folder ?? (await mkdtemp(path.join(os.tmpdir(), 'nbx-workspace-')));
  await mkdir(workspace, { recursive: true });
  await cp(EXAMPLES, workspace, { recursive: true, force: false });
  return workspace;
}

/** Writes a Python notebook with these code cells. */
export async function writeNotebook(file: string, sources: readonly string[]): Promise<void> {
  const cells = sources.map((source, index) => ({
    cell_type: 'code',
    id: `cell-${String(index)}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' };
  await writeFile(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
}

/** Deletes a workspace folder. */
export async function removeWorkspace(workspace: string): Promise<void> {
  await rm(workspace, { recursive: true, force: true });
}
