import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readNotebook, writeNotebook } from '../../../src/notebook/document';
import { storedOutput } from '../../../src/recording/output';
import { FILES } from '../../../src/protocol/execution-folder';
import { OutputNotebook } from '../../../src/recording/output-notebook';
import { delayUntilSave, OutputSaver, replaceWithPieces } from '../../../src/recording/saver';
import { makeFolders, notebookOf, readOutput, cleanUp, textOf } from './running';
import { display, message, stream } from './vectors';

function document(): OutputNotebook {
  const result = new OutputNotebook(notebookOf('a', 'b'));
  result.apply({ type: 'runStarted', time: '2026-01-02T03:04:05Z', description: '{}' });
  result.apply({ type: 'cellStarted', index: 0, requestId: 'r0', time: '2026-01-02T03:04:05Z' });
  return result;
}

describe('saving the output', () => {
  afterEach(cleanUp);

  it('happens within a second while it is cheap, and takes at most a twentieth of the time', () => {
    assert.ok(delayUntilSave(undefined, 1000) < 1000);
    assert.ok(delayUntilSave({ start: 995, end: 1000 }, 1000) < 1000);
    // A save that took 2 s ended 10 s ago.
    assert.equal(delayUntilSave({ start: 1000, end: 3000 }, 13_000), 30_000);
    assert.ok(delayUntilSave({ start: 1000, end: 3000 }, 50_000) < 1000);
  });

  it('happens after a change without another message', async () => {
    const { folder } = await makeFolders('');
    const growing = document();
    const saved = new Promise<void>((resolve) => {
      const saver = new OutputSaver(path.join(folder, FILES.output), growing, () => undefined, {
        ...fs,
        rename: async (from, to) => {
          await fs.rename(from, to);
          resolve();
        },
      });
      growing.apply({ type: 'message', message: stream('now') });
      saver.changed();
    });
    await saved;
    assert.equal(
      textOf(
        (await readOutput(folder)).cells.flatMap((cell) => (cell.cell_type === 'code' ? cell.outputs : [])),
      ),
      'now',
    );
  });

  it('never contains more than the journal on disk', async () => {
    const { folder } = await makeFolders('');
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      const real = {
        ...fs,
        rename: async (from: string, to: string): Promise<void> => {
          calls.push('save');
          await fs.rename(from, to);
          resolve();
        },
      };
      const flush = (): Promise<void> => {
        calls.push('flush');
        return Promise.resolve();
      };
      new OutputSaver(
        path.join(folder, FILES.output),
        document(),
        () => undefined,
        real as typeof fs,
        flush,
      ).changed();
    });
    assert.deepEqual(calls, ['flush', 'save']);
  });

  it('writes nothing when nothing has changed', async () => {
    const { folder } = await makeFolders('');
    let opened = 0;
    const saver = new OutputSaver(path.join(folder, FILES.output), document(), () => undefined, {
      ...fs,
      open: (file, flags, mode) => {
        opened++;
        return fs.open(file, flags, mode);
      },
    });
    await saver.save();
    await saver.save();
    assert.equal(opened, 1);
  });

  it('keeps the last complete output when it fails, and leaves no temporary file', async () => {
    const { folder } = await makeFolders('');
    const file = path.join(folder, 'file');
    await replaceWithPieces(file, [Buffer.from('old')]);
    const failing = { ...fs, rename: () => Promise.reject(new Error('ENOSPC')) };
    await assert.rejects(replaceWithPieces(file, [Buffer.from('new')], failing), /ENOSPC/);
    assert.equal(await fs.readFile(file, 'utf8'), 'old');
    // The journal cannot be flushed.
    const unready = Promise.reject(new Error('EIO'));
    await assert.rejects(replaceWithPieces(file, [Buffer.from('new')], fs, unready), /EIO/);
    assert.equal(await fs.readFile(file, 'utf8'), 'old');
    assert.deepEqual((await fs.readdir(folder)).sort(), ['file', FILES.input]);
  });

  it('syncs the complete file before it replaces the last one, also after partial writes', async () => {
    const { folder } = await makeFolders('');
    const calls: string[] = [];
    const recording = {
      ...fs,
      open: async (...args: Parameters<typeof fs.open>): Promise<fs.FileHandle> => {
        const file = await fs.open(...args);
        const [sync, writev] = [file.sync.bind(file), file.writev.bind(file)];
        return Object.assign(file, {
          writev: (pieces: readonly Buffer[]) => writev([Buffer.concat(pieces).subarray(0, 1)]),
          sync: () => {
            calls.push('sync');
            return sync();
          },
        });
      },
      rename: (from: string, to: string) => {
        calls.push('rename');
        return fs.rename(from, to);
      },
    };
    const file = path.join(folder, 'file');
    await replaceWithPieces(file, [Buffer.from('ab'), Buffer.from('cd')], recording as unknown as typeof fs);
    assert.deepEqual(calls, ['sync', 'rename']);
    assert.equal(await fs.readFile(file, 'utf8'), 'abcd');
  });

  it('reports a failure and does not try again', async () => {
    const { folder } = await makeFolders('');
    const growing = document();
    const error = await new Promise<unknown>((resolve) => {
      const failing = { ...fs, open: () => Promise.reject(new Error('EROFS')) };
      new OutputSaver(path.join(folder, FILES.output), growing, resolve, failing).changed();
    });
    assert.match(String(error), /EROFS/);
  });

  it('writes what the notebook writer writes', () => {
    const growing = document();
    const { recorder, notebook } = growing;
    for (const each of [
      stream('line\n\nlast'),
      display('a "quoted"\ntext'),
      stream('', 'r0', 'stderr'),
      message('error', { ename: 'E', evalue: 'v', traceback: ['t\nu'] }),
    ])
      growing.apply({ type: 'message', message: each });
    const [cell] = notebook.cells;
    assert.ok(cell?.cell_type === 'code');
    const whole = {
      ...notebook,
      cells: [{ ...cell, outputs: recorder.outputsOf(0).map(storedOutput) }, ...notebook.cells.slice(1)],
    };
    assert.equal(String(Buffer.concat(growing.serialize())), Buffer.from(writeNotebook(whole)).toString());
  });

  it('keeps the order of metadata, also number-like keys, and adds its own last', () => {
    const notebook = readNotebook(
      Buffer.from(
        '{"cells":[{"cell_type":"code","id":"a","metadata":{},"source":"","outputs":[],"execution_count":null}],' +
          '"metadata":{"own":1,"2":1,"1":1},"nbformat":4,"nbformat_minor":5}',
      ),
    ).notebook;
    const growing = new OutputNotebook(notebook);
    growing.apply({ type: 'runStarted', time: '2026-01-02T03:04:05Z', description: '{}' });
    growing.serialize();
    growing.apply({ type: 'kernelAnswered', languageInfo: '{"name":"python"}' });
    const order = (): string[] => {
      const text = String(Buffer.concat(growing.serialize()));
      return [...text.matchAll(/^ {2}"(\w+)":/gm)].map(([, key]) => key ?? '');
    };
    assert.deepEqual(order(), ['own', '2', '1', 'language_info', 'papermill']);
    growing.apply({ type: 'cellStarted', index: 0, requestId: 'r0', time: '2026-01-02T03:04:05Z' });
    const model = {
      comm_id: 'c',
      target_name: 'jupyter.widget',
      data: { state: { _model_module: 'm', _model_name: 'A' } },
    };
    growing.apply({ type: 'message', message: message('comm_open', model) });
    assert.deepEqual(order(), ['own', '2', '1', 'language_info', 'papermill', 'widgets']);
  });

  it('gives the same document however often parts of it were written before', () => {
    const [once, often] = [document(), document()];
    for (const text of ['a', 'b\n', 'c\r', 'd']) {
      for (const each of [once, often]) each.apply({ type: 'message', message: stream(text) });
      often.serialize();
    }
    assert.equal(String(Buffer.concat(often.serialize())), String(Buffer.concat(once.serialize())));
  });
});
