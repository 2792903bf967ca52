import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../support/paths';
import { zipEntries } from '../../support/zip';

/** The files of zeromq in each platform's package. */
const ADDONS: Readonly<Record<string, RegExp>> = {
  'linux-x64': /^linux\/x64\/node\/glibc-/,
  'linux-arm64': /^linux\/arm64\/node\/glibc-/,
  'alpine-x64': /^linux\/x64\/node\/musl-/,
  'darwin-x64': /^darwin\/x64\//,
  'darwin-arm64': /^darwin\/arm64\//,
  'win32-x64': /^win32\/x64\//,
  'win32-arm64': /^win32\/arm64\//,
};
const MOST_BYTES = 3_000_000;
/** Code loaded before the first command. */
const MOST_STARTED = 160_000;

/** All files that may be packaged, besides the media that documents and the manifest name. */
const ALLOWED = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(?:package(?:\.nls(?:\.[\w-]+)?)?\.json|l10n\/bundle\.l10n\.[\w-]+\.json|readme\.md|docs\/[\w-]+\.md|changelog\.md|CONTRIBUTING\.md|SECURITY\.md|LICENSE\.txt|THIRD_PARTY_NOTICES\.md)$/,
  /^extension\/dist\/(?:extension|service|runner)\.js$/,
  /^extension\/dist\/parts\/[\w-]+\.js$/,
  /^extension\/dist\/node_modules\/zeromq\/(?:package\.json|LICENSE[\w.-]*\.txt|build\/manifest\.json)$/,
  /^extension\/dist\/node_modules\/zeromq\/lib\/[\w/-]+\.js$/,
  /^extension\/dist\/node_modules\/zeromq\/build\/[\w/-]+\/addon\.node$/,
  /^extension\/dist\/node_modules\/zeromq\/node_modules\/cmake-ts\/build\/loader\.js$/,
  /^extension\/media\/(?:icon|screenshots\/[\w-]+|walkthrough\/[\w-]+)\.(?:svg|png|md|ipynb)$/,
];

it('the third-party notices match the shipped packages', async () => {
  const program = path.join(ROOT, 'test/support/licences.mjs');
  await promisify(execFile)(process.execPath, [program, '--check'], { cwd: ROOT });
}).timeout(60_000);

describe('the packages of all platforms', function () {
  this.timeout(300_000);
  let folder: string;
  let packages: Map<string, string>;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-packages-'));
    const program = path.join(ROOT, 'test/support/package.mjs');
    await promisify(execFile)(process.execPath, [program, '--all', '--out-dir', folder], { cwd: ROOT });
    packages = new Map(
      (await readdir(folder)).map((file) => [
        /^notebook-executions-(.*)-\d+\.\d+\.\d+\.vsix$/.exec(file)?.[1] ?? file,
        path.join(folder, file),
      ]),
    );
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('exist and are small', async () => {
    assert.deepEqual([...packages.keys()].sort(), Object.keys(ADDONS).sort());
    for (const [target, file] of packages) {
      const { size } = await stat(file);
      assert.ok(size < MOST_BYTES, `${target} has ${String(size)} bytes`);
    }
  });

  it('have no sources, tests, maps or development files, and one addon each', () => {
    for (const [target, file] of packages) {
      const names = [...zipEntries(file).keys()];
      assert.deepEqual(
        names.filter((name) => !ALLOWED.some((allowed) => allowed.test(name))),
        [],
        target,
      );
      const addons = names.flatMap((name) => /\/build\/(.*)\/addon\.node$/.exec(name)?.[1] ?? []);
      assert.equal(addons.length, 1, target);
      assert.match(addons[0] ?? '', ADDONS[target] ?? /^$/);
    }
  });

  it('contain every file that the manifest and the README name', async () => {
    const manifest = await readFile(path.join(ROOT, 'package.json'), 'utf8');
    const readme = await readFile(path.join(ROOT, 'README.md'), 'utf8');
    const named = [
      ...manifest.matchAll(/"(?:\.\/)?((?:dist|media)\/[^"]+\.\w+)"/g),
      ...readme.matchAll(/\]\(([\w/-]+\.\w+)\)/g),
      // The packager uses this spelling.
    ].map(([, name]) => `extension/${(name ?? '').replace('CHANGELOG', 'changelog')}`);
    assert.ok(named.includes('extension/dist/extension.js') && named.includes('extension/media/icon.png'));
    for (const [target, file] of packages) {
      const entries = zipEntries(file);
      assert.deepEqual(
        named.filter((name) => !((entries.get(name) ?? 0) > 0)),
        [],
        target,
      );
    }
  });

  it('load little code before the first command', async () => {
    const dist = path.join(ROOT, 'dist');
    // Answers every use of the editor's API while the code loads.
    const script = `
      const { statSync } = require('node:fs');
      const Module = require('node:module');
      const load = Module._load;
      const anything = new Proxy(class {}, { get: (target, name) => (name === 'prototype' ? target.prototype : anything) });
      Module._load = (request, ...others) => (request === 'vscode' ? anything : load(request, ...others));
      require(${JSON.stringify(path.join(dist, 'extension.js'))});
      const files = Object.keys(require.cache).filter((file) => file.startsWith(${JSON.stringify(dist)}));
      console.log(JSON.stringify(files.map((file) => [file, statSync(file).size])));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
    const loaded = JSON.parse(stdout) as [string, number][];
    assert.ok(loaded.some(([file]) => file === path.join(dist, 'extension.js')));
    const bytes = loaded.reduce((sum, [, size]) => sum + size, 0);
    assert.ok(bytes < MOST_STARTED, `${String(bytes)} bytes: ${stdout}`);
  });
});
