/*
 * npm run package [-- --target TARGET… | --all | --out FILE | --out-dir FOLDER]
 *
 * Builds for production and makes a .vsix with the zeromq addon of a single platform, by default this one. Does not
 * change dist/.
 */
import { createVSIX } from '@vscode/vsce';
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TARGETS, build, copyZeromq, hostTarget } from '../../esbuild.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The files besides the build that .vscodeignore selects from. */
const PACKAGED =
  /^(?:package(?:\.nls.*)?\.json|README\.md|CHANGELOG\.md|CONTRIBUTING\.md|docs|SECURITY\.md|LICENSE|THIRD_PARTY_NOTICES\.md|\.vscodeignore|l10n|media)(?:$|[\\/])/;

const { values } = parseArgs({
  options: {
    all: { type: 'boolean' },
    target: { type: 'string', multiple: true },
    out: { type: 'string' },
    'out-dir': { type: 'string', default: ROOT },
  },
});
const targets = values.all ? Object.keys(TARGETS) : (values.target ?? [hostTarget()]);
const { name, version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
// A separate folder, because vsce matches every file below it against .vscodeignore: with .venv, half a minute.
const folder = await mkdtemp(path.join(os.tmpdir(), 'package-'));
try {
  const filter = (file) => file === ROOT || PACKAGED.test(path.relative(ROOT, file));
  await cp(ROOT, folder, { recursive: true, filter });
  const dist = path.join(folder, 'dist');
  await build({ production: true, target: targets[0], outdir: dist });
  for (const target of targets) {
    const packagePath = values.out ?? path.join(values['out-dir'], `${name}-${target}-${version}.vsix`);
    // Everything else is the same on every platform.
    await copyZeromq(target, dist);
    await createVSIX({
      cwd: folder,
      target,
      packagePath,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    console.log(`${packagePath} (${((await stat(packagePath)).size / 1e6).toFixed(2)} MB)`);
  }
} finally {
  await rm(folder, { recursive: true });
}
