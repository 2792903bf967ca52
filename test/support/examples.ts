import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from './paths';

/** The notebooks that `npm start` and the tests open. */
const EXAMPLES = path.join(ROOT, 'media/examples');

/** A workspace folder of one's own with copies of the example notebooks. */
export async function copyExamples(folder?: string): Promise<string> {
  const workspace = folder ?? (await mkdtemp(path.join(os.tmpdir(), 'nbx-workspace-')));
  await mkdir(workspace, { recursive: true });
  await cp(EXAMPLES, workspace, { recursive: true, force: false });
  return workspace;
}

/** Removes a copy again. */
export async function removeWorkspace(workspace: string): Promise<void> {
  await rm(workspace, { recursive: true, force: true });
}
