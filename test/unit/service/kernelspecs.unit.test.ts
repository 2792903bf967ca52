import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ServiceError } from '../../../src/execution/errors';
import { findKernelSpecs, jupyterDataPaths } from '../../../src/system/kernelspecs';
import { resolveKernel, type KernelRequest } from '../../../src/service/create/resolve-kernel';
import { filesLoadedBy, filesFingerprint } from '../../../src/service/create/python-kernel';
import { VENV_BIN, VENV_PYTHON } from '../../support/python';
import { temporaryFolder } from './support';

describe('Kernelspecs', () => {
  let folder: string;
  let env: Record<string, string>;
  beforeEach(() => {
    folder = temporaryFolder();
    env = { HOME: folder, PATH: '', JUPYTER_PATH: path.join(folder, 'first') };
  });

  function spec(data: string, name: string, content: unknown): string {
    const directory = path.join(folder, data, 'kernels', name);
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(
      path.join(directory, 'kernel.json'),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
    return directory;
  }
  async function resolve(request: Partial<KernelRequest>): ReturnType<typeof resolveKernel> {
    return resolveKernel({
      kernelSpec: undefined,
      interpreter: undefined,
      notebookKernel: undefined,
      notebookLanguage: undefined,
      env,
      ...request,
    });
  }
  function rejection(reason: string, args: Record<string, string>): (error: unknown) => boolean {
    return (error) => {
      assert.ok(error instanceof ServiceError, String(error));
      assert.equal(error.status, 'FAILED_PRECONDITION');
      assert.equal(error.reason, reason);
      for (const [name, value] of Object.entries(args)) assert.equal(error.args[name], value);
      return true;
    };
  }
  const r = { argv: ['R', '-f', '{connection_file}'], display_name: 'R', language: 'R' };

  it('are searched on Jupyter’s data paths of each platform', () => {
    const paths = (platform: NodeJS.Platform, more: Record<string, string>): string[] =>
      jupyterDataPaths({ env: more, prefixes: ['/venv'], platform }).map(({ directory }) => directory);
    assert.deepEqual(paths('linux', { HOME: '/h', JUPYTER_PATH: '/a:/b' }), [
      '/a',
      '/b',
      '/venv/share/jupyter',
      '/h/.local/share/jupyter',
      '/usr/local/share/jupyter',
      '/usr/share/jupyter',
    ]);
    assert.equal(paths('darwin', { HOME: '/h' })[1], '/h/Library/Jupyter');
    assert.equal(paths('linux', { JUPYTER_DATA_DIR: '/d' })[1], '/d');
    assert.deepEqual(paths('win32', { APPDATA: 'C:\\A', PROGRAMDATA: 'C:\\P' }).slice(1), [
      'C:\\A\\jupyter',
      'C:\\P\\jupyter',
    ]);
  });

  it('are taken from the first path that has the name; broken ones are ignored', async () => {
    const first = spec('first', 'R', r);
    spec('.local/share/jupyter', 'r', { ...r, display_name: 'other' });
    spec('first', 'broken', '{');
    spec('first', 'empty', { argv: [] });
    const found = (await findKernelSpecs({ env, prefixes: [] })).filter(({ directory }) =>
      directory.startsWith(folder),
    );
    assert.deepEqual(
      found.map(({ name, directory }) => [name, directory]),
      [['r', first]],
    );
  });

  it('select the kernel: the template’s, the notebook’s, the only one of the language', async () => {
    const directory = spec('first', 'ir', {
      ...r,
      env: { A: '${HOME}/x', B: '$UNKNOWN' },
      interrupt_mode: 'message',
    });
    spec('first', 'julia', {
      argv: ['julia'],
      language: 'julia',
      metadata: { supported_encryption: 'curve' },
    });
    assert.deepEqual(await resolve({ kernelSpec: 'IR', notebookKernel: 'julia' }), {
      name: 'ir',
      displayName: 'R',
      language: 'R',
      argv: r.argv,
      resourceDir: directory,
      interruptMode: 'message',
      env: { ...env, A: `${folder}/x`, B: '$UNKNOWN' },
    });
    const julia = await resolve({ notebookKernel: 'julia', notebookLanguage: 'R' });
    assert.deepEqual([julia.name, julia.supportedEncryption], ['julia', ['curve']]);
    assert.equal((await resolve({ notebookKernel: 'gone', notebookLanguage: 'r' })).name, 'ir');
    assert.equal((await resolve({ notebookLanguage: 'julia' })).name, 'julia');
    spec('first', 'ir2', r);
    await assert.rejects(
      resolve({ notebookKernel: 'gone', notebookLanguage: 'R' }),
      rejection('kernelNotFound', { kernel: 'gone' }),
    );
    await assert.rejects(
      resolve({ kernelSpec: 'gone', notebookKernel: 'ir' }),
      rejection('kernelNotFound', { kernel: 'gone' }),
    );
  });

  it('of Python are replaced by the chosen interpreter, unless a specific kernel is requested', async () => {
    spec('first', 'python3', { argv: ['/elsewhere/python'], language: 'python' });
    spec('first', 'special', { argv: ['/special/python'], language: 'python' });
    spec('first', 'ir', r);
    const interpreter = VENV_PYTHON;
    for (const request of [
      { notebookKernel: 'python3' },
      { notebookKernel: 'special' },
      { kernelSpec: 'python3' },
      {},
      { notebookKernel: 'gone', notebookLanguage: 'python' },
    ]) {
      const kernel = await resolve({ ...request, interpreter });
      assert.equal(kernel.name, interpreter, JSON.stringify(request));
      assert.deepEqual(kernel.argv, [interpreter, '-m', 'ipykernel_launcher', '-f', '{connection_file}']);
      assert.equal(kernel.env['VIRTUAL_ENV'], path.dirname(VENV_BIN));
      assert.ok(kernel.env['PATH']?.startsWith(VENV_BIN));
    }
    assert.equal((await resolve({ kernelSpec: 'special', interpreter })).argv[0], '/special/python');
    assert.equal((await resolve({ notebookKernel: 'ir', interpreter })).name, 'ir');
  });

  it('of an environment whose command is just python use that environment’s Python', async () => {
    const kernel = await resolve({
      notebookKernel: 'python3',
      env: { ...env, VIRTUAL_ENV: path.dirname(VENV_BIN) },
    });
    assert.equal(kernel.argv[0], VENV_PYTHON);
    assert.equal(kernel.name, 'python3');
  });

  it('are not needed for python3 on the PATH', async () => {
    fs.mkdirSync(path.join(folder, 'bin'));
    // An interpreter like pyenv's: a script outside its environment, whose path does not show the environment.
    const shim = path.join(folder, 'bin', 'python3');
    fs.writeFileSync(shim, `#!/bin/sh\nexec '${VENV_PYTHON}' "$@"\n`, { mode: 0o755 });
    const kernel = await resolve({ notebookKernel: 'python3', env: { ...env, PATH: path.dirname(shim) } });
    assert.equal(kernel.argv[0], shim);
  });

  it('that are missing: the error names the interpreter without ipykernel', async () => {
    const bare = path.join(folder, 'python');
    fs.writeFileSync(bare, '#!/bin/sh\necho \'{"path": [], "ipykernel": false}\'\n', { mode: 0o755 });
    await assert.rejects(
      resolve({ interpreter: bare }),
      rejection('ipykernelMissing', { interpreter: bare }),
    );
    await assert.rejects(
      resolve({ notebookKernel: 'python3' }),
      rejection('kernelNotFound', { kernel: 'python3' }),
    );
  });

  it('require a new kernel when packages or start-up files have changed', async () => {
    const kernel = await resolve({ interpreter: VENV_PYTHON });
    const files = (await filesLoadedBy(kernel)) ?? [];
    assert.ok(files.some((file) => file.endsWith('site-packages')));
    const before = await filesFingerprint(files);
    assert.equal(await filesFingerprint(files), before);
    fs.mkdirSync(path.join(folder, '.ipython/profile_default/startup'), { recursive: true });
    const withFolder = await filesFingerprint(files);
    assert.notEqual(withFolder, before);
    fs.writeFileSync(path.join(folder, '.ipython/profile_default/startup/00.py'), 'x = 1');
    assert.notEqual(await filesFingerprint(files), withFolder);
    assert.equal(await filesLoadedBy({ ...kernel, argv: ['R'] }), undefined);
  });
});
