/*
 * node test/support/licences.mjs [--check]
 *
 * Writes THIRD_PARTY_NOTICES.md: the packages whose code is shipped, with their licences. Packages whose code is not in
 * the bundles are not listed. --check fails if the file is outdated.
 */
import * as esbuild from 'esbuild';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILE = path.join(ROOT, 'THIRD_PARTY_NOTICES.md');
const ENTRIES = ['src/extension.ts', 'src/service/main.ts', 'src/runner/main.ts'];
/** Packages copied beside the bundles, see esbuild.mjs. */
const COPIED = ['zeromq', 'cmake-ts'];

async function shippedPackages() {
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    splitting: true,
    outdir: 'out/licences',
    write: false,
    metafile: true,
    external: ['vscode', 'zeromq'],
    logLevel: 'error',
  });
  const folders = new Set(COPIED.map((name) => path.join(ROOT, 'node_modules', name)));
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
      if (folder !== undefined && bytesInOutput > 0) folders.add(path.resolve(ROOT, folder));
    }
  }
  return Promise.all([...folders].map(describePackage));
}

async function describePackage(folder) {
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((name) =>
    /^(?:licen[cs]e|copying|notice)(?:[._-]|$)/i.test(name),
  );
  const texts = await Promise.all(files.sort().map((name) => readFile(path.join(folder, name), 'utf8')));
  return { name: manifest.name, version: manifest.version, licence: manifest.license, texts };
}

function notices(packages) {
  const sorted = packages.sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
  );
  const texts = new Map();
  for (const { name, texts: own } of sorted) {
    for (const text of own.map((each) => each.replaceAll('\r\n', '\n').trim())) {
      texts.set(text, [...(texts.get(text) ?? []), name]);
    }
  }
  return [
    '# Third-party notices',
    'Code of these packages is in the extension. Made by `node test/support/licences.mjs`; a test compares it with the bundles.',
    ['| package | version | licence |', '| --- | --- | --- |']
      .concat(sorted.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`))
      .join('\n'),
    ...[...texts].map(
      ([text, names]) => `## ${[...new Set(names)].join(', ')}\n\n\`\`\`text\n${text}\n\`\`\``,
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

const text = notices(await shippedPackages());
if (!process.argv.includes('--check')) {
  await writeFile(FILE, text);
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
  console.error('THIRD_PARTY_NOTICES.md is not what is shipped: run node test/support/licences.mjs');
  process.exitCode = 1;
}
