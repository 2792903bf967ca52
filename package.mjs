/*
 * npm run package [-- --target TARGET… | --all | --out FILE]
 *
 * Builds for production and makes a .vsix with the zeromq addon of one platform only; by default of this one.
 */
import { createVSIX } from '@vscode/vsce';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TARGETS, build, hostTarget } from './esbuild.mjs';

const { values } = parseArgs({
  options: { all: { type: 'boolean' }, target: { type: 'string', multiple: true }, out: { type: 'string' } },
});
const targets = values.all ? Object.keys(TARGETS) : (values.target ?? [hostTarget()]);
const root = import.meta.dirname;
const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
for (const target of targets) {
  await build({ production: true, target });
  const packagePath = values.out ?? path.join(root, `${name}-${target}-${version}.vsix`);
  await createVSIX({ cwd: root, target, packagePath, dependencies: false, allowMissingRepository: true });
  console.log(`${packagePath} (${((await stat(packagePath)).size / 1e6).toFixed(2)} MB)`);
}
if (targets.at(-1) !== hostTarget()) {
  await build({ production: true });
}
