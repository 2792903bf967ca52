import { createVSIX } from '@vscode/vsce';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

/** An extension that a test installs beside ours. */
export interface SmallExtension {
  /** For example `publisher.name`. */
  readonly id: string;
  /** CommonJS code with `activate`. */
  readonly code: string;
  readonly activationEvents: readonly string[];
  /** Whether it also runs in untrusted workspaces. */
  readonly untrusted?: boolean;
  /** `contributes` of its manifest. */
  readonly contributes?: object;
}

/**
 * Stand-ins for the extensions that ours works with. Like the real ones, they return instances whose fields are
 * getters. Jupyter knows only open notebooks, and needs some time after they were opened. Python always returns a
 * value: `python` before it has found anything. Tests set the selection with `choose`, and make them hang or throw with
 * `misbehave`.
 */
export const NEIGHBOURS: readonly SmallExtension[] = [
  {
    id: 'ms-toolsai.jupyter',
    // Its kernel answers every cell with one line of output.
    code: `const { EventEmitter, workspace, notebooks, NotebookCellOutput, NotebookCellOutputItem } = require('vscode');
const chosen = new Map();
const bound = new Map();
const changed = new EventEmitter();
let mode = '';
class Environment {
  constructor(path) { this.id = path; }
  get path() { return this.id; }
}
// The choice is kept with the window, and comes back when the notebook is opened.
const bind = ({ uri }) => setTimeout(() => {
  const path = chosen.get(uri.toString());
  if (path !== undefined) bound.set(uri.toString(), new Environment(path));
  changed.fire(uri);
}, 100);
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
  workspace.onDidOpenNotebookDocument(bind);
  workspace.onDidCloseNotebookDocument(({ uri }) => bound.delete(uri.toString()));
  workspace.notebookDocuments.forEach(bind);
  const opened = [];
  return {
    opened,
    openNotebook: async (uri, environment) => { opened.push([uri.toString(), environment]); },
    onDidChangePythonEnvironment: changed.event,
    getPythonEnvironment: (uri) => {
      if (mode === 'throws') throw new Error('Jupyter is broken');
      return bound.get(uri.toString());
    },
    choose: (uri, path) => {
      path === undefined ? chosen.delete(uri.toString()) : chosen.set(uri.toString(), path);
      bound.delete(uri.toString());
      workspace.notebookDocuments.filter((each) => each.uri.toString() === uri.toString()).forEach(bind);
    },
    misbehave: (how) => { mode = how; },
  };
};`,
    activationEvents: ['onNotebook:jupyter-notebook'],
  },
  {
    id: 'ms-python.python',
    code: `const { commands, Uri } = require('vscode');
let chosen = 'python';
let next;
let mode = '';
class Path {
  constructor(path) { this.id = path === 'python' ? 'DEFAULT_PYTHON' : path; this.value = path; }
  get path() { return this.value; }
}
class Resolved {
  constructor(path) { this.id = path; }
  get executable() { return { uri: Uri.file(this.id), bitness: '64-bit' }; }
}
commands.registerCommand('python.setInterpreter', () => { chosen = next ?? chosen; });
exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => {
      if (mode === 'throws') throw new Error('Python is broken');
      return new Path(chosen);
    },
    resolveEnvironment: ({ path }) =>
      mode === 'hangs' ? new Promise(() => {}) : Promise.resolve(path === 'python' ? undefined : new Resolved(path)),
    updateActiveEnvironmentPath: async (path) => { chosen = path; },
  },
  choose: (path) => { chosen = path ?? 'python'; },
  /** What its picker answers. */
  willChoose: (path) => { next = path; },
  misbehave: (how) => { mode = how; },
});`,
    activationEvents: ['onCommand:python.setInterpreter'],
  },
  {
    id: 'ms-python.vscode-python-envs',
    code: `const { Uri } = require('vscode');
const projects = new Map();
let mode = '';
class Environment {
  constructor(executable) { this.executable = executable; }
  get execInfo() { return { run: { executable: this.executable } }; }
}
exports.activate = () => ({
  getEnvironment: async (uri) => {
    if (mode === 'throws') throw new Error('Python Environments is broken');
    if (mode === 'hangs') return new Promise(() => {});
    const found = [...projects].find(([folder]) => uri?.toString().startsWith(folder + '/'));
    return found && new Environment(found[1]);
  },
  choose: (folder, executable) =>
    executable === undefined ? projects.delete(folder.toString()) : projects.set(folder.toString(), executable),
  misbehave: (how) => { mode = how; },
});`,
    activationEvents: [],
  },
];

/** Writes an extension into `{folder}/{id}` and returns that folder. */
export async function writeSmallExtension(extension: SmallExtension, folder: string): Promise<string> {
  const [publisher = '', name = ''] = extension.id.split('.');
  const place = path.join(folder, extension.id);
  const manifest = {
    ...{ publisher, name, displayName: extension.id, version: '1.0.0', main: './extension.js' },
    ...{ engines: { vscode: '^1.100.0' }, activationEvents: extension.activationEvents },
    // Like the real ones, none runs in an untrusted workspace, except those that a test needs there.
    capabilities: { untrustedWorkspaces: { supported: extension.untrusted ?? false } },
    contributes: extension.contributes,
  };
  await mkdir(place, { recursive: true });
  await writeFile(path.join(place, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(place, 'extension.js'), extension.code);
  await writeFile(path.join(place, 'README.md'), 'For a test.');
  return place;
}

/** Packages an extension as a .vsix in this folder. Returns its path. */
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
