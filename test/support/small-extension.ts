import { createVSIX } from '@vscode/vsce';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

/** An extension that a test sets beside ours. */
export interface SmallExtension {
  /** `publisher.name` */
  readonly id: string;
  /** CommonJS with `activate`. */
  readonly code: string;
  readonly activationEvents: readonly string[];
  /** What its manifest contributes. */
  readonly contributes?: object;
}

/**
 * The extensions that ours works with, with what it uses of their documented API. Tests say by `choose` what a person has
 * chosen in them: an environment of Python for a notebook, or for all; undefined for none.
 */
export const NEIGHBOURS: readonly SmallExtension[] = [
  {
    id: 'ms-toolsai.jupyter',
    // Its kernel answers every cell with one line.
    code: `const { notebooks, NotebookCellOutput, NotebookCellOutputItem } = require('vscode');
const chosen = new Map();
exports.activate = () => {
  const controller = notebooks.createNotebookController('stub', 'jupyter-notebook', 'Stub Kernel');
  controller.executeHandler = async (cells) => {
    for (const cell of cells) {
      const execution = controller.createNotebookCellExecution(cell);
      execution.start(Date.now());
      await execution.replaceOutput(new NotebookCellOutput([NotebookCellOutputItem.text('of the stub kernel')]));
      execution.end(true, Date.now());
    }
  };
  const opened = [];
  return {
    opened,
    openNotebook: async (uri, environment) => { opened.push([uri.toString(), environment]); },
    getPythonEnvironment: (uri) => chosen.get(uri.toString()),
    choose: (uri, path) => path === undefined ? chosen.delete(uri.toString()) : chosen.set(uri.toString(), { id: path, path }),
  };
};`,
    activationEvents: ['onNotebook:jupyter-notebook'],
  },
  {
    id: 'ms-python.python',
    code: `const { Uri } = require('vscode');
let chosen;
exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ id: String(chosen), path: chosen }),
    resolveEnvironment: async ({ path } = {}) =>
      path === undefined ? undefined : { id: path, executable: { uri: Uri.file(path), bitness: '64-bit' } },
  },
  choose: (path) => { chosen = path; },
});`,
    activationEvents: [],
  },
];

/** Writes an extension into `{folder}/{id}` and answers that folder. */
export async function writeSmallExtension(extension: SmallExtension, folder: string): Promise<string> {
  const [publisher = '', name = ''] = extension.id.split('.');
  const place = path.join(folder, extension.id);
  const manifest = {
    ...{ publisher, name, displayName: extension.id, version: '1.0.0', main: './extension.js' },
    ...{ engines: { vscode: '^1.100.0' }, activationEvents: extension.activationEvents },
    contributes: extension.contributes,
  };
  await mkdir(place, { recursive: true });
  await writeFile(path.join(place, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(place, 'extension.js'), extension.code);
  await writeFile(path.join(place, 'README.md'), 'For a test.');
  return place;
}

/** Packages an extension as a .vsix in this folder. */
export async function packageSmallExtension(extension: SmallExtension, folder: string): Promise<string> {
  const packagePath = path.join(folder, `${extension.id}.vsix`);
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'nbx-extension-'));
  try {
    const cwd = await writeSmallExtension(extension, temporary);
    await createVSIX({
      cwd,
      packagePath,
      dependencies: false,
      allowMissingRepository: true,
      skipLicense: true,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return packagePath;
}
