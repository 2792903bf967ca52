import { downloadAndUnzipVSCode, SilentReporter } from '@vscode/test-electron';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { VSCODE_CACHE } from './paths';
import { SetupError, findProgram, runStep, say } from './setup';

/** The tested versions: the newest, and the oldest that `engines.vscode` in package.json allows. */
export type VSCodeVersion = 'newest' | 'oldest';

/** Environment variable: the version of windows that name none; by default the newest. */
export const WINDOW_VERSION = 'NOTEBOOK_EXECUTIONS_TEST_VSCODE';

export function windowVersion(): VSCodeVersion {
  return process.env[WINDOW_VERSION] === 'oldest' ? 'oldest' : 'newest';
}

/** Releases of the npm package code-server, which contains a VS Code server, and the Node version of each. */
const SERVERS = {
  newest: { release: '4.139.1', node: '24.21.0' },
  oldest: { release: '4.100.3', node: '20.20.2' },
} as const;
const DESKTOPS = { newest: 'stable', oldest: '1.100.3' } as const;

/** A VS Code server: its main file, and the Node to run it with. */
export interface VSCodeServerInstall {
  readonly node: string;
  readonly main: string;
}

const NPM_REMEDY = 'Check that the npm registry can be reached and run this again.';

/**
 * Path of the desktop VS Code if there is a display and it can be downloaded. The first call, with a short timeout,
 * decides for the whole run.
 */
export async function findDesktop(version: VSCodeVersion): Promise<string | undefined> {
  const display =
    process.platform !== 'linux' ||
    process.env['DISPLAY'] !== undefined ||
    process.env['WAYLAND_DISPLAY'] !== undefined;
  if (!display) return undefined;
  return downloadAndUnzipVSCode({
    version: DESKTOPS[version],
    cachePath: VSCODE_CACHE,
    timeout: 5_000,
    reporter: new SilentReporter(),
  }).catch(() => undefined);
}

/** The VS Code server of the npm package code-server, installed once into .vscode-test. */
export async function ensureServer(version: VSCodeVersion): Promise<VSCodeServerInstall> {
  const { release, node } = SERVERS[version];
  const home = path.join(VSCODE_CACHE, `server-${release}`);
  const install = {
    node: path.join(await ensureNode(node), process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'),
    main: path.join(home, 'out/server-main.js'),
  };
  if (existsSync(install.main)) return install;
  say(`Installing VS Code 1.${release.slice(2)} as a server from npm (760 MB on disk, once) …`);
  await installAside(home, async (folder) => {
    await runStep('npm', ['pack', `code-server@${release}`, '--pack-destination', folder], {
      remedy: NPM_REMEDY,
    });
    await runStep(
      'tar',
      ['xzf', path.join(folder, `code-server-${release}.tgz`), '-C', folder, 'package/lib/vscode'],
      {
        remedy: 'Install tar and run this again.',
      },
    );
    const vscode = path.join(folder, 'package/lib/vscode');
    // Its lockfile is incomplete, so `npm ci` fails. node-pty and the file watcher are prebuilt.
    await runStep(
      'npm',
      ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'],
      {
        cwd: vscode,
        env: { ...process.env, PATH: [path.dirname(install.node), process.env['PATH']].join(path.delimiter) },
        remedy: NPM_REMEDY,
      },
    );
    return vscode;
  });
  return install;
}

/** Node of exactly this version, in .vscode-test: each VS Code server needs another major version. */
async function ensureNode(version: string): Promise<string> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const home = path.join(VSCODE_CACHE, `node-${version}`);
  if (!existsSync(home)) {
    say(`Installing Node ${version} for VS Code from npm …`);
    await installAside(home, async (folder) => {
      const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
      await runStep('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`], {
        remedy: NPM_REMEDY,
      });
      return path.join(folder, 'node_modules', name);
    });
  }
  return home;
}

/** Creates `target` completely or not at all. `fill` prepares it in a temporary folder and returns what to move. */
async function installAside(target: string, fill: (folder: string) => Promise<string>): Promise<void> {
  if (findProgram(['npm']) === undefined)
    throw new SetupError('npm was not found. Install npm and run this again.');
  await mkdir(VSCODE_CACHE, { recursive: true });
  const folder = await mkdtemp(path.join(VSCODE_CACHE, 'partial-'));
  try {
    await rename(await fill(folder), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
