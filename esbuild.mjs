/*
 * Bundles the product into dist/ and, with --tests, all tests and test programs into out/.
 *
 *   node esbuild.mjs [--production] [--tests[=FOLDER]] [--watch]
 *
 * --tests=FOLDER bundles only those in this folder of test/. --production minifies and omits source maps.
 */
import * as esbuild from 'esbuild';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(fileURLToPath(import.meta.url));

/** Independent programs. Each is one file, because it is copied to a folder that extension updates do not change. */
const PROGRAMS = {
  service: 'src/service/main.ts',
  runner: 'src/runner/main.ts',
};

/** Tests and programs that tests start: main.ts, *.main.ts, and index.ts of the host suites. */
const TEST_ENTRY = /(?:\.test|\.main|[\\/]main|test[\\/]host[\\/]index)\.ts$/;

/** @type {esbuild.BuildOptions} */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
};

const DIST = path.join(ROOT, 'dist');

/** @type {esbuild.BuildOptions} */
const PRODUCT = {
  ...COMMON,
  external: ['vscode', 'zeromq'],
  // Tree shaking works better with the ES module builds of packages than with their CommonJS builds.
  mainFields: ['module', 'main'],
};

/** @returns {esbuild.BuildOptions} */
function programOptions(production, outdir) {
  return {
    ...PRODUCT,
    entryPoints: PROGRAMS,
    outdir,
    metafile: true,
    minify: production,
    // The programs also run from copies, so the source map is inline and contains the sources' location.
    ...(!production && { sourcemap: 'inline', sourceRoot: `${outdir}/` }),
  };
}

/**
 * The extension. Every `import()` becomes a file that is loaded when it is first needed. Code used by several of these
 * files is shared, so that each class exists once. esbuild can split only ES modules, so the files are converted to
 * CommonJS one by one.
 * @returns {esbuild.BuildOptions}
 */
function extensionOptions(production, outdir) {
  return {
    ...PRODUCT,
    entryPoints: { extension: 'src/extension.ts' },
    outdir,
    format: 'esm',
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    minify: production,
    sourcemap: production ? false : 'inline',
    write: false,
    metafile: true,
    plugins: [
      {
        name: 'commonjs',
        setup: ({ onEnd }) =>
          void onEnd((result) => writeCommonJs(result, production, path.join(outdir, 'parts'))),
      },
    ],
  };
}

/** Writes the files of a split build as CommonJS, and deletes files that only the previous build had. */
async function writeCommonJs({ outputFiles, metafile }, production, parts) {
  if (outputFiles.length === 0) {
    return;
  }
  /** Files of CommonJS modules that are loaded with `import()`, of ours or of a package. */
  const packages = new Set(
    Object.entries(metafile.outputs).flatMap(([file, { entryPoint }]) =>
      metafile.inputs[entryPoint]?.format === 'cjs' ? path.basename(file) : [],
    ),
  );
  await mkdir(parts, { recursive: true });
  const names = new Set(outputFiles.map((file) => path.basename(file.path)));
  for (const name of await readdir(parts)) {
    if (!names.has(name)) {
      await rm(path.join(parts, name));
    }
  }
  for (const { path: file, text } of outputFiles) {
    const { code } = await esbuild.transform(text, {
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      // Otherwise it would remain the import() of an ES module.
      supported: { 'dynamic-import': false },
      // In a split build, esbuild exports only `default` from a CommonJS package, because it does not know the names.
      // This makes them the file's own exports, as with any other import of such a package.
      ...(packages.has(path.basename(file)) && { footer: 'module.exports = module.exports.default;' }),
      sourcefile: path.basename(file),
      sourcemap: production ? false : 'inline',
      minify: production,
    });
    await writeFile(file, code);
  }
}

/** @returns {Promise<esbuild.BuildOptions>} */
async function testOptions(folder) {
  const files = await readdir(path.join(ROOT, folder), { recursive: true });
  return {
    ...COMMON,
    entryPoints: files.map((file) => path.join(folder, file)).filter((file) => TEST_ENTRY.test(file)),
    outdir: 'out',
    outbase: '.',
    // Tests run inside the clone, so they load packages from its node_modules.
    packages: 'external',
    sourcemap: true,
    metafile: true,
  };
}

/** Removes what earlier builds made of tests that are gone since: mocha would still run it. */
async function removeStale(folder, { outputs }) {
  const out = path.join('out', folder);
  const files = await readdir(path.join(ROOT, out), { recursive: true });
  const stale = files
    .map((file) => path.join(out, file))
    .filter((file) => /\.js(?:\.map)?$/.test(file) && !(file.replaceAll(path.sep, '/') in outputs));
  await Promise.all(stale.map((file) => rm(path.join(ROOT, file))));
}

/** Writes the imports of every source to out/, for `npm test -- changed`. */
async function writeGraph(metafiles) {
  const inputs = Object.assign({}, ...metafiles.map(({ inputs }) => inputs));
  const imports = Object.entries(inputs)
    .filter(([file]) => /^(?:src|test)\//.test(file))
    .map(([file, { imports }]) => [file, imports.filter((each) => !each.external).map((each) => each.path)]);
  const programs = { 'dist/extension.js': 'src/extension.ts' };
  for (const [name, entry] of Object.entries(PROGRAMS)) programs[`dist/${name}.js`] = entry;
  await writeFile(
    path.join(ROOT, 'out/graph.json'),
    JSON.stringify({ imports: Object.fromEntries(imports), programs }),
  );
}

/** The platforms of packages, in vsce's names, and the zeromq addon of each. */
export const TARGETS = {
  // The builds for other Node ABIs need a newer glibc (2.38 instead of 2.25). All are N-API and work with any Node.
  'linux-x64': { os: 'linux', arch: 'x64', libc: 'glibc', addon: 'linux/x64/node/glibc-127-Release' },
  'linux-arm64': { os: 'linux', arch: 'arm64', libc: 'glibc', addon: 'linux/arm64/node/glibc-127-Release' },
  'alpine-x64': { os: 'linux', arch: 'x64', libc: 'musl', addon: 'linux/x64/node/musl-127-Release' },
  'darwin-x64': { os: 'darwin', arch: 'x64', libc: 'libc', addon: 'darwin/x64/node/libc-115-Release' },
  'darwin-arm64': { os: 'darwin', arch: 'arm64', libc: 'libc', addon: 'darwin/arm64/node/libc-115-Release' },
  'win32-x64': { os: 'win32', arch: 'x64', libc: 'msvc', addon: 'win32/x64/node/msvc-115-Release' },
  'win32-arm64': { os: 'win32', arch: 'arm64', libc: 'msvc', addon: 'win32/arm64/node/msvc-115-Release' },
};

/** @returns {keyof typeof TARGETS} */
export function hostTarget() {
  const musl = process.platform === 'linux' && existsSync('/etc/alpine-release');
  return `${musl ? 'alpine' : process.platform}-${process.arch}`;
}

/**
 * Copies the parts of zeromq that the runner needs on one platform: its JavaScript, one addon with a manifest that
 * lists only that addon, the loader, and the licences. zeromq cannot be bundled, because it searches for the addon
 * beside itself.
 * @param {string} target one of {@link TARGETS}
 */
export async function copyZeromq(target, outdir) {
  const chosen = TARGETS[target];
  if (chosen === undefined) {
    throw new Error(`There is no zeromq addon for ${target}. Platforms: ${Object.keys(TARGETS).join(', ')}.`);
  }
  const modules = path.join(ROOT, 'node_modules');
  const from = path.join(modules, 'zeromq');
  const to = path.join(outdir, 'node_modules/zeromq');
  const addon = path.join(chosen.addon, 'addon.node');
  const { os, arch, libc } = chosen;
  const manifest = JSON.stringify({ [JSON.stringify({ os, arch, libc, abi: 0 })]: addon });
  const { name, version, license, main, type } = JSON.parse(
    await readFile(path.join(from, 'package.json'), 'utf8'),
  );
  const packageJson = JSON.stringify({ name, version, license, main, type });
  // package.json is written last. If both files are up to date, the copy is complete; running processes use it.
  const stamp = path.join(to, 'package.json');
  if (
    (await readFile(stamp, 'utf8').catch(() => '')) === packageJson &&
    (await readFile(path.join(to, 'build/manifest.json'), 'utf8').catch(() => '')) === manifest
  ) {
    return;
  }
  await rm(path.join(outdir, 'node_modules'), { recursive: true, force: true });
  await mkdir(path.join(to, 'build', chosen.addon), { recursive: true });
  await cp(path.join(from, 'lib'), path.join(to, 'lib'), {
    recursive: true,
    filter: (file) => !file.endsWith('ts3.7') && (!path.extname(file) || file.endsWith('.js')),
  });
  for (const file of ['LICENSE.txt', 'LICENSE_MPL-2.0.txt', path.join('build', addon)]) {
    await copyFile(path.join(from, file), path.join(to, file));
  }
  await writeFile(path.join(to, 'build/manifest.json'), manifest);
  const loader = 'cmake-ts/build/loader.js';
  await mkdir(path.join(to, 'node_modules/cmake-ts/build'), { recursive: true });
  await copyFile(path.join(modules, loader), path.join(to, 'node_modules', loader));
  await writeFile(stamp, packageJson);
}

/**
 * Builds the product into `outdir` (dist/), and the tests below the folder `tests` into out/.
 * @param {{ production?: boolean, tests?: string, target?: string, outdir?: string }} options
 *   `target`: platform of the zeromq addon, by default this one
 */
export async function build({ production = false, tests, target = hostTarget(), outdir = DIST } = {}) {
  const results = await Promise.allSettled([
    esbuild.build(programOptions(production, outdir)),
    esbuild.build(extensionOptions(production, outdir)),
    copyZeromq(target, outdir),
    tests && testOptions(tests).then((options) => esbuild.build(options)),
  ]);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed !== undefined) {
    throw failed.reason;
  }
  if (tests) await removeStale(tests, results[3].value.metafile);
  if (tests === 'test') await writeGraph(results.flatMap(({ value }) => value?.metafile ?? []));
}

async function watch(tests) {
  await copyZeromq(hostTarget(), DIST);
  // The problem matcher of .vscode/tasks.json waits for these lines.
  const plugins = [
    {
      name: 'report',
      setup(build) {
        build.onStart(() => console.log('build started'));
        build.onEnd(() => console.log('build finished'));
      },
    },
  ];
  const all = [
    programOptions(false, DIST),
    extensionOptions(false, DIST),
    ...(tests ? [await testOptions(tests)] : []),
  ];
  for (const options of all) {
    const context = await esbuild.context({ ...options, plugins: [...(options.plugins ?? []), ...plugins] });
    await context.watch();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flags = process.argv.slice(2);
  const tests = flags.find((flag) => flag.startsWith('--tests'))?.replace(/^--tests=?/, '');
  const folder = tests === '' ? 'test' : tests;
  try {
    await (flags.includes('--watch')
      ? watch(folder)
      : build({ production: flags.includes('--production'), tests: folder }));
  } catch (error) {
    // esbuild prints its own errors.
    if (error.errors === undefined) {
      console.error(error);
    }
    process.exitCode = 1;
  }
}
