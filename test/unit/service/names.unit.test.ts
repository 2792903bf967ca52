import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runtimeRoots, servicePaths } from '../../../src/protocol/service-paths';
import { runtimesIn } from '../../../src/service/stale-files';
import { placeOutput } from '../../../src/service/executions/placed-output';
import { makeRuntimeDirectory } from '../../../src/service/runners/runner-process';
import { until } from '../../support/until';
import { PARENT, temporaryFolder, TestService } from './support';
import { interfereWithDisk } from './unruly-disk';

/** Files that the service writes without a request: exits and starts of runners, and the clock file. */
const BACKGROUND_FILES = /\/run\/|\/spare-runner\.log$|\/\.clock\.json\.[\da-f-]{36}$/;

/** All other files below a folder. */
function tree(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !BACKGROUND_FILES.test(name)).sort();
}

describe('Names never become paths', () => {
  let folder: string;
  let service: TestService;
  before(async () => {
    folder = temporaryFolder();
    service = await TestService.start(folder);
    await service.create('model');
    await service.ended('model');
    // Its end is reported a moment before everything is on disk.
    await until('nothing is written any more', () => {
      const record = fs.readFileSync(service.file('model', 'execution.json'), 'utf8');
      return record.includes('SUCCEEDED') && !tree(folder).some((name) => name.endsWith('.new'));
    });
  });

  const HOSTILE = [
    '..',
    '.',
    '../x',
    '..%2fx',
    'a/b',
    'a\\b',
    'a\0b',
    '/etc/x',
    '.hidden',
    'A',
    'x'.repeat(64),
    'é',
    '',
  ];

  it('ids: refused in every request, and nothing is created from them', async () => {
    const before = tree(folder);
    for (const id of HOSTILE) {
      const encoded = encodeURIComponent(id);
      assert.equal((await service.create(encoded)).code, 400, id);
      for (const method of ['GET', 'DELETE']) {
        const { code } = await service.request(method, `${PARENT}/executions/${encoded}/`);
        assert.equal(code, 404, id);
      }
    }
    assert.deepEqual(tree(folder), before);
  });

  it('names of outputs: refused unless they are plain file names', async () => {
    const before = tree(folder);
    for (const outputName of HOSTILE.filter((name) => !['A', 'é', 'x'.repeat(64)].includes(name))) {
      // A percent sign is an ordinary character in a name.
      if (outputName.includes('%')) continue;
      const { code } = await service.create('named', 'succeed', { options: { outputName } });
      assert.equal(code, 400, outputName);
    }
    assert.deepEqual(tree(folder), before);
  });

  it('names of outputs: limited to 200 bytes, which all file systems accept', async () => {
    const output = path.join(folder, 'long names');
    const outputNotebookFolder = pathToFileURL(output).href;
    const create = async (id: string, outputName: string): Promise<number> => {
      const more = { template: { outputNotebookFolder }, options: { outputName } };
      return (await service.create(id, 'succeed', more)).code;
    };
    for (const [id, character, most] of [
      ['ascii', 'x', 200],
      ['umlauts', 'ü', 100],
      ['emoji', '😀', 50],
    ] as const) {
      const name = character.repeat(most);
      assert.equal(await create(id, `${name}x`), 400, id);
      assert.equal(await create(id, name), 200, id);
      assert.equal((await service.ended(id)).state, 'SUCCEEDED');
      assert.ok(fs.existsSync(path.join(output, `${name}.ipynb`)), id);
    }
    fs.rmSync(output, { recursive: true });
  });

  it('names of notebooks, however long or unusual: the output is in its folder and nowhere else', async () => {
    const target = path.join(folder, 'target');
    const sources = [
      'file:///x/..%2f..%2f..%2fevil.ipynb',
      'file:///x/%2e%2e.ipynb',
      'file:///x/%00%0a%1b[31m.ipynb',
      `file:///x/${encodeURIComponent('漢'.repeat(120))}.ipynb`,
      `file:///x/${encodeURIComponent('🎉'.repeat(120))}.ipynb`,
      'untitled:../../x',
      'https://evil.example/a?b=../c#/../d',
    ];
    const before = tree(folder);
    for (const [index, source] of sources.entries()) {
      const id = `s${index}${'x'.repeat(60)}`;
      const template = { outputNotebookFolder: pathToFileURL(target).href };
      const answer = await service.create(id, 'succeed', {
        template,
        options: { source, workingDirectory: folder },
      });
      assert.equal(answer.code, 200, JSON.stringify(answer.body));
      const { outputNotebookFile = '', runStatus, displayName } = await service.ended(id);
      assert.deepEqual(runStatus?.warnings ?? [], [], source);
      assert.ok(outputNotebookFile.startsWith(`${pathToFileURL(target).href}/`), outputNotebookFile);
      assert.match(displayName ?? '', /^[A-Za-z0-9_]+$/);
    }
    const made = tree(folder).filter((file) => !before.includes(file) && !file.startsWith('data/'));
    assert.equal(made.length, sources.length + 1, made.join('\n'));
    for (const name of fs.readdirSync(target)) assert.match(name, /^[\p{L}\p{N}_. -]+\.ipynb$/u);
  });

  it('file: URIs with `..` or of other hosts are resolved exactly or refused', async () => {
    for (const uri of [
      'file://evil.example/x.ipynb',
      'file:///x%2f..%2fy.ipynb',
      'file:///a.ipynb?x',
      'http://x/',
    ]) {
      for (const field of ['inputNotebookFile', 'outputNotebookFolder', 'paramsYamlFile']) {
        const { code } = await service.create('uri', 'succeed', { template: { [field]: uri } });
        assert.equal(code, 400, `${field} ${uri}`);
      }
    }
    const inside = `${pathToFileURL(folder).href}/a/b/../../my%20notebook.ipynb`;
    assert.equal(
      (await service.create('dots', 'succeed', { template: { inputNotebookFile: inside } })).code,
      200,
    );
  });
}).timeout(30_000);

describe('In a folder where other users can write', () => {
  const record = { id: 'one', content: 'abcdef0123456789', stem: 'notebook', runOptions: {} };
  const unnoted = (): Promise<void> => Promise.resolve();
  let folder: string;
  let output: string;
  let precious: string;
  let target: string;
  beforeEach(() => {
    folder = temporaryFolder();
    output = path.join(folder, 'output.ipynb');
    precious = path.join(folder, 'precious');
    target = path.join(folder, 'shared');
    fs.writeFileSync(output, 'the output', { mode: 0o600 });
    fs.writeFileSync(precious, 'precious', { mode: 0o644 });
    fs.mkdirSync(target);
  });
  afterEach(() => {
    assert.equal(fs.readFileSync(precious, 'utf8'), 'precious');
    assert.equal(fs.statSync(precious).mode & 0o777, 0o644);
  });

  it('an existing link with the output’s name is not followed', async () => {
    fs.symlinkSync(precious, path.join(target, 'notebook-one.ipynb'));
    fs.symlinkSync(path.join(folder, 'made'), path.join(target, 'notebook-one-1.ipynb'));
    const place = await placeOutput(output, target, record, unnoted);
    assert.equal(path.basename(place), 'notebook-one-2.ipynb');
    assert.equal(fs.readFileSync(place, 'utf8'), 'the output');
    assert.equal(fs.lstatSync(place).mode & 0o777, 0o600);
    assert.ok(!fs.existsSync(path.join(folder, 'made')));
  });

  it('a link that replaces the file while it is written is noticed, and not followed', async () => {
    const restore = interfereWithDisk(({ call, path: file }) => {
      if (call !== 'link') return;
      fs.unlinkSync(file);
      fs.symlinkSync(precious, file);
    });
    try {
      await assert.rejects(placeOutput(output, target, record, unnoted), { code: 'EEXIST' });
    } finally {
      await restore();
    }
  });

  it('a link in place of the runners’ directory is neither used nor cleaned', async () => {
    const home = path.join(folder, 'home');
    fs.mkdirSync(path.join(home, 'kept'), { recursive: true, mode: 0o755 });
    const root = path.join(folder, 'run');
    fs.symlinkSync(home, root);
    assert.throws(() => makeRuntimeDirectory(root), /not a directory owned by this user/);
    assert.deepEqual(await runtimesIn(root), []);
    assert.deepEqual(fs.readdirSync(home), ['kept']);
  });
});

describe('Paths of sockets', () => {
  it('are short enough for every data directory, and inside it when possible', () => {
    let own = 0;
    for (let length = 1; length < 300; length++) {
      const paths = servicePaths(`/${'ü'.repeat(length / 2)}${'x'.repeat(length % 2)}`, 'host');
      const [root = ''] = runtimeRoots(paths, 'linux');
      if (root.startsWith(paths.host)) own++;
      // Suffixes of a runner and a kernel: ten characters, and the longest name.
      assert.ok(Buffer.byteLength(`${root}/0123456789/kernel-5`) < 104, root);
    }
    assert.ok(own > 40, `${own}`);
  });
});
