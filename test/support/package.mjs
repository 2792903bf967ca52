/*
 * npm run package [-- --target TARGET… | --all | --out FILE]
 *
 * Builds for production and makes a .vsix with the zeromq addon of one platform only; by default of this one.
 */
import { createVSIX } from '@vscode/vsce';
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TARGETS, build, hostTarget } from '../../esbuild.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What .vscodeignore chooses from. */
const PACKAGED =
  /^(?:package(?:\.nls.*)?\.json|README\.md|CHANGELOG\.md|LICENSE|\.vscodeignore|dist|l10n|media)(?:$|[\\/])/;

async function packageFor(target, packagePath) {
  await build({ production: true, target });
  // vsce matches every file below its folder against .vscodeignore: with .venv and .vscode-test that takes half a minute.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'package-'));
  try {
    const filter = (file) => file === ROOT || PACKAGED.test(path.relative(ROOT, file));
    await cp(ROOT, folder, { recursive: true, filter });
    await createVSIX({
      cwd: folder,
      target,
      packagePath,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
  console.log(`${packagePath} (${((await stat(packagePath)).size / 1e6).toFixed(2)} MB)`);
}

const { values } = parseArgs({
  options: { all: { type: 'boolean' }, target: { type: 'string', multiple: true }, out: { type: 'string' } },
});
const targets = values.all ? Object.keys(TARGETS) : (values.target ?? [hostTarget()]);
const { name, version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
for (const target of targets) {
  await packageFor(target, values.out ?? path.join(ROOT, `${name}-${target}-${version}.vsix`));
}
if (targets.at(-1) !== hostTarget()) {
  await build({ production: true });
}
