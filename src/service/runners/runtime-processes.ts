import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { leadersNaming, PROCESS_FILE } from '../../system/processes';
import { endTree } from '../../system/process-tree';
import { isRuntimeDirectory } from '../../protocol/runtime-directory';
import { killGroup } from '../../system/processes';

const IdentitySchema = z.object({ pid: z.number(), startTime: z.string() });

/** Ends the processes that a dead runner left behind: its kernels and their fork server. */
export async function endProcessesOf(runtime: string): Promise<void> {
  if (!isRuntimeDirectory(runtime)) return;
  const names = await fs.readdir(runtime).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith(PROCESS_FILE))) {
    const identity = await readIdentity(path.join(runtime, name));
    if (identity !== undefined) await killGroup(identity);
  }
  // Also processes that were just being started or forked, and are in no file yet.
  for (const group of await leadersNaming(runtime)) if (group !== process.pid) await endTree(group);
}

async function readIdentity(file: string): Promise<z.infer<typeof IdentitySchema> | undefined> {
  try {
    return IdentitySchema.parse(JSON.parse(await fs.readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
