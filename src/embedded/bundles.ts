import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { makePrivateDirectory } from '../system/files';
import { isOwnName } from '../protocol/own-names';
import { exists } from '../system/programs';

const SCRIPTS = ['service.js', 'runner.js'];
/** Number of older copies that are kept for runners that still use them. */
const KEPT = 4;

/** A copy of the bundles that updates of the extension do not change. */
export interface InstalledBundles {
  /** `{version}-{hash}` */
  readonly build: string;
  readonly service: string;
}

/**
 * Copies service.js, runner.js and the zeromq addon to `{versions}/{version}-{hash}`, unless this folder exists.
 * @param source the extension's `dist` folder.
 */
export async function installBundles(
  source: string,
  version: string,
  versions: string,
): Promise<InstalledBundles> {
  const hash = createHash('sha256');
  for (const script of SCRIPTS) hash.update(await fs.readFile(path.join(source, script)));
  const build = `${version}-${hash.digest('hex').slice(0, 12)}`;
  const target = path.join(versions, build);
  const installed = { build, service: path.join(target, 'service.js') };
  if (await exists(target)) return installed;
  await makePrivateDirectory(versions);
  const temporary = path.join(versions, `.${build}-${randomUUID()}`);
  try {
    await fs.mkdir(temporary, { mode: 0o700 });
    for (const script of SCRIPTS) await fs.copyFile(path.join(source, script), path.join(temporary, script));
    await fs.cp(path.join(source, 'node_modules'), path.join(temporary, 'node_modules'), { recursive: true });
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true });
    // Another window has installed it meanwhile.
    if (!(await exists(target))) throw error;
  }
  await removeOld(versions, build);
  return installed;
}

async function removeOld(versions: string, current: string): Promise<void> {
  const others = (await fs.readdir(versions)).filter((name) => isOwnName('build', name) && name !== current);
  const dated = await Promise.all(
    others.map(async (name) => {
      // Another window, possibly on another host, may have just removed it.
      const stat = await fs.lstat(path.join(versions, name)).catch(() => undefined);
      return { name, time: stat?.mtimeMs ?? 0 };
    }),
  );
  dated.sort((a, b) => b.time - a.time);
  for (const { name } of dated.slice(KEPT)) {
    // On Windows an addon in use cannot be deleted; a later call retries.
    await fs.rm(path.join(versions, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
