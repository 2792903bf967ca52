import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pythonOnPath } from '../../../src/python/python-on-path';
import {
  expandVariables,
  homeOf,
  variablesOf,
  withoutEditorVariables,
} from '../../../src/system/environment';
import { installedIpykernel, sysPrefix } from '../../../src/system/ipykernel';
import { programsOnPath, searchPath, which } from '../../../src/system/programs';
import { activated, describePython, prefixOf, pythonIn } from '../../../src/system/python-environment';

/** Platforms whose rules real paths of this machine can follow: Windows accepts slashes, others no backslashes and colons. */
const PLATFORMS: readonly NodeJS.Platform[] =
  process.platform === 'win32' ? ['win32'] : ['linux', 'darwin', 'win32'];

describe('on each platform', () => {
  let folder = '';
  beforeEach(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'nbx-platforms-')));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Creates a file below the folder; a program is executable. */
  function file(...parts: string[]): string {
    const made = path.join(folder, ...parts);
    fs.mkdirSync(path.dirname(made), { recursive: true });
    fs.writeFileSync(made, '', { mode: 0o755 });
    return made;
  }

  describe('variables', () => {
    it('are compared like the system does: ignoring case on Windows, where the last one counts', () => {
      const environment = { Path: 'a', PATH: 'b', Home: 'c', GONE: undefined };
      assert.deepEqual(variablesOf(environment, 'linux'), { Path: 'a', PATH: 'b', Home: 'c' });
      assert.deepEqual(variablesOf(environment, 'win32'), { PATH: 'b', HOME: 'c' });
    });

    it('of the editor are left out, however they are spelled', () => {
      const environment = { VSCODE_PID: '1', ELECTRON_RUN_AS_NODE: '1', vscode_ipc: 'x', Home: '/h' };
      assert.deepEqual(withoutEditorVariables(environment, 'darwin'), { Home: '/h' });
      assert.deepEqual(withoutEditorVariables(environment, 'win32'), { HOME: '/h' });
    });

    it('of a file may reference others, which Windows finds in any case', () => {
      const text = { A: '${B}', PATH: '${Path};C:\\tools', two: '${path}!' };
      assert.deepEqual(expandVariables(text, { Path: 'C:\\w' }, 'win32'), {
        A: '',
        PATH: 'C:\\w;C:\\tools',
        TWO: 'C:\\w;C:\\tools!',
      });
      assert.deepEqual(expandVariables(text, { PATH: '/bin', path: '/x' }, 'linux'), {
        A: '',
        PATH: ';C:\\tools',
        two: '/x!',
      });
    });

    it('contain the home directory as Python determines it', () => {
      const environment = { HOME: '/h', UserProfile: 'C:\\Users\\ada' };
      assert.equal(homeOf(environment, 'linux'), '/h');
      assert.equal(homeOf(environment, 'win32'), 'C:\\Users\\ada');
      assert.equal(homeOf({}, 'win32'), os.homedir());
    });
  });

  describe('programs', () => {
    it('are searched in the absolute directories of the PATH, however it is spelled', () => {
      const windows = { Path: String.raw`C:\a b;"C:\Program Files\x";relative;.;;\\host\share` };
      assert.deepEqual(searchPath(windows, 'win32'), [
        String.raw`C:\a b`,
        String.raw`C:\Program Files\x`,
        String.raw`\\host\share`,
      ]);
      assert.deepEqual(searchPath({ PATH: '/a:relative::/b;c:.' }, 'linux'), ['/a', '/b;c']);
      assert.deepEqual(searchPath(windows, 'linux'), []);
      assert.deepEqual(searchPath({}, 'win32'), []);
    });

    it('are executable files, and on Windows end in .exe', async () => {
      for (const platform of PLATFORMS) {
        const one = path.join(folder, platform);
        const two = path.join(one, 'two');
        const ending = platform === 'win32' ? '.exe' : '';
        file(platform, 'python3.bat');
        fs.mkdirSync(path.join(one, `python${ending}`));
        const python = file(platform, 'two', `python${ending}`);
        const other = file(platform, 'two', `python3${ending}`);
        const PATH = [one, two].join(platform === 'win32' ? ';' : ':');
        assert.equal(await which('python', { PATH }, platform), python, platform);
        assert.equal(await which('python3', { PATH }, platform), other, platform);
        assert.equal(await which('perl', { PATH }, platform), undefined, platform);
        const found: string[] = [];
        for await (const each of programsOnPath(['python3', 'python'], { PATH }, platform)) found.push(each);
        assert.deepEqual(found, [other], `one of each directory: ${platform}`);
      }
    });
  });

  describe('a Python', () => {
    const windows = 'win32' as const;
    const layouts: readonly [
      maker: string,
      platform: NodeJS.Platform,
      files: string[],
      python: string,
      kind: string,
    ][] = [
      ['venv', 'linux', ['pyvenv.cfg', 'bin/python', 'bin/python3'], 'bin/python', 'venv'],
      ['venv', windows, ['pyvenv.cfg', 'Scripts/python.exe'], 'Scripts/python.exe', 'venv'],
      ['conda', 'darwin', ['conda-meta/history', 'bin/python'], 'bin/python', 'conda'],
      ['conda', windows, ['conda-meta/history', 'python.exe', 'Scripts/pip.exe'], 'python.exe', 'conda'],
      ['python.org', 'darwin', ['bin/python3', 'bin/python3.12'], 'bin/python3', 'plain'],
      ['python.org', windows, ['python.exe', 'Scripts/pip.exe'], 'python.exe', 'plain'],
      ['pyenv', 'linux', ['bin/python', 'bin/python3'], 'bin/python', 'plain'],
      ['pyenv', windows, ['python.exe', 'python3.exe', 'Scripts/pip.exe'], 'python.exe', 'plain'],
      ['an unknown installer', 'linux', [], 'bin/python', 'plain'],
      ['an unknown installer', windows, [], 'Scripts/python.exe', 'plain'],
    ];
    for (const [maker, platform, files, expected, kind] of layouts) {
      if (!PLATFORMS.includes(platform)) continue;
      it(`of ${maker} is found in its folder, and its path gives that folder, on ${platform}`, async () => {
        for (const each of files) file(each);
        const python = path.join(folder, expected);
        assert.equal(pythonIn(folder, platform), python);
        assert.equal(prefixOf(python, platform), folder);
        const described = await describePython(python, platform);
        assert.equal(described.kind, kind);
        assert.equal(described.prefix, kind === 'plain' ? undefined : folder);
      });
    }

    it('has its folder found by paths with drives and in any case, too', () => {
      assert.equal(prefixOf(String.raw`C:\w\.venv\SCRIPTS\python.exe`, 'win32'), String.raw`C:\w\.venv`);
      assert.equal(prefixOf(String.raw`C:\conda\python.exe`, 'win32'), String.raw`C:\conda`);
      assert.equal(prefixOf(String.raw`C:\python.exe`, 'win32'), 'C:\\');
    });

    it('has ipykernel if its packages contain it: nothing is started to find it', async () => {
      for (const platform of PLATFORMS) {
        const [program, packages] =
          platform === 'win32'
            ? ['python.exe', ['Lib', 'site-packages']]
            : ['bin/python3', ['lib', 'python3.12', 'site-packages']];
        const python = file(platform, program);
        assert.equal(await sysPrefix(python, platform), path.join(folder, platform));
        assert.equal(await installedIpykernel(python, platform), undefined, platform);
        file(platform, ...packages, 'ipykernel-7.4.1.dist-info', 'METADATA');
        assert.equal(await installedIpykernel(python, platform), undefined, 'what uninstalling left');
        file(platform, ...packages, 'ipykernel_launcher.py');
        assert.equal(await installedIpykernel(python, platform), '7.4.1', platform);
      }
    });

    it('is chosen from the PATH by its ipykernel', async () => {
      for (const platform of PLATFORMS) {
        const ending = platform === 'win32' ? '.exe' : '';
        const [bin, packages] = platform === 'win32' ? [[], ['Lib']] : [['bin'], ['lib', 'python3.12']];
        const without = file(platform, 'a', ...bin, `python3${ending}`);
        const found = file(platform, 'b', ...bin, `python${ending}`);
        file(platform, 'b', ...packages, 'site-packages', 'ipykernel-6.0.dist-info', 'METADATA');
        file(platform, 'b', ...packages, 'site-packages', 'ipykernel_launcher.py');
        const PATH = [without, found].map((each) => path.dirname(each));
        const Path = PATH.join(platform === 'win32' ? ';' : ':');
        const variables = platform === 'win32' ? { Path } : { PATH: Path };
        assert.deepEqual(
          await pythonOnPath(variables, platform),
          { executable: found, prefix: undefined, kind: 'plain', hasIpykernel: true },
          platform,
        );
        fs.rmSync(path.join(folder, platform, 'b'), { recursive: true });
        assert.equal((await pythonOnPath(variables, platform))?.hasIpykernel, false, platform);
        assert.equal((await pythonOnPath(variables, platform))?.executable, without, platform);
      }
    });

    const others = { PYTHONHOME: 'x', VIRTUAL_ENV: 'x', VIRTUAL_ENV_PROMPT: 'x', CONDA_PREFIX: 'x' };

    it('is activated: a virtual environment', () => {
      const venv = { executable: '/v/bin/python', prefix: '/v', kind: 'venv' as const };
      assert.deepEqual(activated(venv, { PATH: '/bin:/v/bin', ...others, Path: '1' }, 'linux'), {
        PATH: '/v/bin:/bin',
        VIRTUAL_ENV: '/v',
        Path: '1',
      });
      const prefix = String.raw`C:\v`;
      const executable = String.raw`C:\v\Scripts\python.exe`;
      assert.deepEqual(
        activated({ executable, prefix, kind: 'venv' }, { Path: String.raw`C:\w`, ...others }, 'win32'),
        { PATH: String.raw`C:\v\Scripts;C:\w`, VIRTUAL_ENV: prefix },
      );
    });

    it('is activated: conda, with the folders of its activation', () => {
      const conda = { executable: '/c/envs/a/bin/python', prefix: '/c/envs/a', kind: 'conda' as const };
      assert.deepEqual(activated(conda, { PATH: '/bin', ...others }, 'darwin'), {
        PATH: '/c/envs/a/bin:/bin',
        CONDA_PREFIX: '/c/envs/a',
        CONDA_DEFAULT_ENV: 'a',
        CONDA_SHLVL: '1',
      });
      const prefix = String.raw`C:\conda`;
      const { PATH, ...rest } = activated(
        { executable: String.raw`C:\conda\python.exe`, prefix, kind: 'conda' },
        { Path: String.raw`C:\w;C:\conda\Scripts` },
        'win32',
      );
      assert.deepEqual(PATH?.split(';'), [
        String.raw`C:\conda`,
        String.raw`C:\conda\Library\mingw-w64\bin`,
        String.raw`C:\conda\Library\usr\bin`,
        String.raw`C:\conda\Library\bin`,
        String.raw`C:\conda\Scripts`,
        String.raw`C:\conda\bin`,
        String.raw`C:\w`,
      ]);
      assert.deepEqual(rest, { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: prefix, CONDA_SHLVL: '1' });
    });

    it('of any other kind leaves the variables unchanged', () => {
      const plain = { executable: '/usr/bin/python3', prefix: undefined, kind: 'plain' as const };
      assert.deepEqual(activated(plain, others, 'linux'), others);
    });
  });
});
