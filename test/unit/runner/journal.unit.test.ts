import * as assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readNotebook } from '../../../src/notebook/document';
import { completeFromJournal } from '../../../src/recording/recovery';
import { FILES } from '../../../src/protocol/execution-folder';
import { JournalWriter, readJournal } from '../../../src/recording/journal';
import { markPending, OutputNotebook } from '../../../src/recording/output-notebook';
import type { RunEvent } from '../../../src/recording/run-event';
import { readWithoutOutputs } from '../../../src/recording/saved-document';
import { makeFolders, notebookOf, papermill, readOutput, cleanUp } from './running';
import { display, message, stream, update } from './vectors';

const TIME = '2026-01-02T03:04:05.678Z';
const EVENTS: readonly RunEvent[] = [
  { type: 'runStarted', time: TIME, description: '{"parameters":{"x":1.0}}' },
  { type: 'kernelAnswered', languageInfo: '{"name":"python"}' },
  { type: 'cellStarted', index: 0, requestId: 'r0', time: TIME },
  { type: 'cellStep', index: 0, step: 'iopub.status.busy', time: TIME },
  { type: 'cellCount', index: 0, count: 1 },
  { type: 'message', message: stream('line one\nline "two"\n') },
  { type: 'message', message: display('first', 'id') },
  { type: 'message', message: message('comm_msg', {}, 'r0', [Buffer.from([0, 10, 255]), Buffer.alloc(0)]) },
  { type: 'cellEnded', index: 0, time: TIME, failed: false },
  { type: 'cellStarted', index: 1, requestId: 'r1', time: TIME },
  { type: 'message', message: update('updated', 'id', 'r1') },
  { type: 'message', message: stream('unfinished', 'r1') },
];

/** From a complete journal of a run that had not ended. */
const COMPLETED = { isCompleted: true, isDamaged: false };

function unexpected(error: unknown): never {
  throw error;
}

/** A folder with the output as it is before the first cell, and a journal of these events. */
async function folderWith(events: readonly RunEvent[]): Promise<string> {
  const { folder } = await makeFolders('');
  const document = new OutputNotebook(notebookOf('a', 'b', 'c'));
  fs.writeFileSync(path.join(folder, FILES.output), Buffer.concat(document.serialize()));
  const journal = new JournalWriter(path.join(folder, FILES.journal), unexpected);
  for (const event of events) journal.append(event);
  journal.close();
  return folder;
}

describe('journal', () => {
  afterEach(cleanUp);

  it('returns appended records byte for byte', async () => {
    const folder = await folderWith(EVENTS);
    assert.deepEqual([...readJournal(path.join(folder, FILES.journal))], EVENTS);
  });

  it('writes an output immediately, and cell states at the end of the turn', async () => {
    const { folder } = await makeFolders('');
    const file = path.join(folder, FILES.journal);
    const journal = new JournalWriter(file, unexpected);
    for (const [index, event] of EVENTS.entries()) {
      journal.append(event);
      if (event.type !== 'message') await nextTurn();
      assert.equal([...readJournal(file)].length, index + 1);
    }
    for (const event of EVENTS) journal.append(event);
    assert.equal([...readJournal(file)].length, 2 * EVENTS.length);
    journal.close();
  });

  it('reports that buffered records cannot be written', async () => {
    const { folder } = await makeFolders('');
    const full = new Error('ENOSPC');
    const told: unknown[] = [];
    const noSpace = (): never => {
      throw full;
    };
    const journal = new JournalWriter(path.join(folder, FILES.journal), (error) => told.push(error), {
      ...fs,
      writevSync: noSpace,
    });
    journal.append({ type: 'cellCount', index: 0, count: 1 });
    assert.deepEqual(told, []);
    await nextTurn();
    assert.deepEqual(told, [full]);
    journal.close();
  });

  it('ends with the last complete record, wherever it was cut', async () => {
    const folder = await folderWith(EVENTS);
    const file = path.join(folder, FILES.journal);
    const whole = fs.readFileSync(file);
    let seen = 0;
    for (let length = 0; length <= whole.length; length++) {
      fs.writeFileSync(file, whole.subarray(0, length));
      const events = [...readJournal(file)];
      assert.deepEqual(events, EVENTS.slice(0, events.length), `cut at ${length}`);
      assert.ok(events.length >= seen, 'a longer journal holds no less');
      seen = events.length;
    }
    assert.equal(seen, EVENTS.length);
  });

  it('continues after partial writes', async () => {
    const { folder } = await makeFolders('');
    const file = path.join(folder, FILES.journal);
    const short = (fd: number, parts: readonly NodeJS.ArrayBufferView[]): number =>
      fs.writeSync(fd, Buffer.concat(parts as Buffer[]), 0, 1);
    const journal = new JournalWriter(file, unexpected, { ...fs, writevSync: short });
    for (const event of EVENTS) journal.append(event);
    await journal.flush();
    journal.close();
    assert.deepEqual([...readJournal(file)], EVENTS);
  });

  for (const [what, damage] of [
    [
      'a size that is far too large',
      (line: string) => line.replace(/"sizes":\[\d+/, '"sizes":[123456789012345'),
    ],
    ['a size that is a little too large', (line: string) => line.replace(/"sizes":\[(\d)/, '"sizes":[2$1')],
    ['a size that is too small', (line: string) => line.replace(/"sizes":\[\d+/, '"sizes":[3')],
    ['a negative size', (line: string) => line.replace(/"sizes":\[/, '"sizes":[-')],
    ['a size that is not a number', (line: string) => line.replace(/"sizes":\[\d+/, '"sizes":[1e999')],
    ['a head of garbage', (line: string) => line.replace(/^.{20}/, '\0'.repeat(20))],
  ] as const) {
    it(`skips a record with ${what}, and keeps the records before and after it`, async () => {
      const folder = await folderWith(EVENTS);
      const file = path.join(folder, FILES.journal);
      const lines = fs.readFileSync(file, 'latin1').split('\n');
      const at = lines.findIndex((line) => line.includes('"display_data"'));
      lines[at] = damage(lines[at] ?? '');
      fs.writeFileSync(file, lines.join('\n'), 'latin1');
      let damages = 0;
      const events = [...readJournal(file, () => damages++)];
      assert.deepEqual(events, EVENTS.toSpliced(6, 1));
      assert.equal(damages, 1);
      const { isCompleted, isDamaged } = await completeFromJournal(folder);
      assert.deepEqual([isCompleted, isDamaged], [true, true]);
      assert.match(fs.readFileSync(path.join(folder, FILES.output), 'utf8'), /line one[^]*unfinished/);
    });
  }

  it('is read to its end despite malformed records and a damaged beginning', async () => {
    const folder = await folderWith(EVENTS);
    const file = path.join(folder, FILES.journal);
    const text = fs.readFileSync(file, 'latin1');
    fs.writeFileSync(
      file,
      text
        .replace('{"name":"stdout"', 'XXname":"stdout"')
        .replace('{"type":"runStarted"', 'XXtype":"runStarted"'),
      'latin1',
    );
    assert.equal((await completeFromJournal(folder)).isDamaged, true);
    const notebook = await readOutput(folder);
    assert.deepEqual(papermill(notebook, 'status'), ['completed', 'failed', 'pending']);
    assert.match(JSON.stringify(notebook.cells), /unfinished/);
  });

  it('is empty when the file does not exist', () => {
    assert.deepEqual([...readJournal('/nonexistent/journal')], []);
  });
});

describe('completing the output of a runner that died', () => {
  afterEach(cleanUp);

  it('contains every journalled output, and the correct state of each cell', async () => {
    const folder = await folderWith(EVENTS);
    assert.deepEqual(await completeFromJournal(folder, new Date('2026-01-02T03:04:10.678Z')), COMPLETED);
    const notebook = await readOutput(folder);
    assert.deepEqual(
      notebook.cells.map((cell) => cell.cell_type === 'code' && cell.outputs),
      [
        [
          { output_type: 'stream', name: 'stdout', text: 'line one\nline "two"\n' },
          { output_type: 'display_data', data: { 'text/plain': 'updated' }, metadata: {} },
        ],
        [{ output_type: 'stream', name: 'stdout', text: 'unfinished' }],
        [],
      ],
    );
    assert.deepEqual(papermill(notebook, 'status'), ['completed', 'failed', 'pending']);
    assert.deepEqual(papermill(notebook, 'duration'), [0, 5, null]);
    const run = notebook.metadata['papermill'] as Record<string, unknown>;
    assert.deepEqual([run['exception'], run['duration']], [true, 5]);
    assert.match(JSON.stringify(fs.readFileSync(path.join(folder, FILES.output), 'utf8')), /\\"x\\": 1\.0/);
  });

  it('works whatever was saved of the outputs, even when more than can be read, and keeps everything else', async () => {
    const { folder } = await makeFolders('');
    // Text that looks like outputs.
    const own = { outputs: ['\n   "outputs": [\n', 1], cells: [[]] };
    const notebook = notebookOf({ source: 'a', metadata: own }, 'b', {
      cell_type: 'markdown',
      source: ' "cells": [',
    });
    Object.assign(notebook.metadata, { own: structuredClone(own) });
    markPending(notebook);
    const document = new OutputNotebook(notebook);
    const events: RunEvent[] = [
      { type: 'runStarted', time: TIME, description: '{}' },
      { type: 'cellStarted', index: 0, requestId: 'r0', time: TIME },
      { type: 'message', message: stream('first\n') },
      { type: 'message', message: display('second', 'id') },
    ];
    for (const event of events) document.apply(event);
    const journal = new JournalWriter(path.join(folder, FILES.journal), unexpected);
    for (const event of events) journal.append(event);
    journal.close();
    const saved = Buffer.concat(document.serialize());
    const output = path.join(folder, FILES.output);
    fs.writeFileSync(output, saved);
    const without = String(await readWithoutOutputs(output));
    assert.doesNotMatch(without, /first|second/);
    for (let atOnce = 1; atOnce < 40; atOnce++)
      assert.equal(String(await readWithoutOutputs(output, atOnce)), without, `${atOnce} bytes at once`);
    const file = fs.openSync(output, 'w');
    const at = saved.indexOf('     "output_type"');
    fs.writeSync(file, saved.subarray(0, at));
    const hole = constants.MAX_STRING_LENGTH;
    fs.writeSync(file, saved.subarray(at), 0, saved.length - at, at + hole);
    fs.closeSync(file);
    assert.deepEqual(await completeFromJournal(folder, new Date(TIME)), COMPLETED);
    document.abort(TIME);
    const whole = readNotebook(Buffer.concat(document.serialize()));
    assert.deepEqual(await readOutput(folder), whole.notebook);
  });

  it('keeps the result of a finished run', async () => {
    const status = { version: 1 as const, attempt: 1, state: 'SUCCEEDED', runStatus: { endTime: TIME } };
    const events: RunEvent[] = [
      ...EVENTS.slice(0, 9),
      { type: 'runEnded', time: TIME, failed: false, status },
    ];
    const folder = await folderWith(events);
    assert.deepEqual(await completeFromJournal(folder), { ...COMPLETED, end: status });
    const notebook = await readOutput(folder);
    assert.deepEqual(papermill(notebook, 'status'), ['completed', 'pending', 'pending']);
    assert.equal((notebook.metadata['papermill'] as Record<string, unknown>)['exception'], false);
  });

  it('of a run that never started is the notebook with no cell run', async () => {
    const { folder } = await makeFolders(notebookOf('a', 'b'));
    assert.deepEqual(await completeFromJournal(folder, new Date(TIME)), COMPLETED);
    const notebook = await readOutput(folder);
    assert.deepEqual(papermill(notebook, 'status'), ['pending', 'pending']);
    const { exception, end_time: end } = notebook.metadata['papermill'] as Record<string, unknown>;
    assert.deepEqual([exception, end], [true, TIME]);
  });

  it('does nothing without a start record or without the output that the journal belongs to', async () => {
    const lost = await folderWith(EVENTS);
    fs.rmSync(path.join(lost, FILES.output));
    assert.equal((await completeFromJournal(lost)).isCompleted, false);
    const begun = await folderWith([]);
    const before = fs.readFileSync(path.join(begun, FILES.output));
    assert.equal((await completeFromJournal(begun)).isCompleted, false);
    assert.deepEqual(fs.readFileSync(path.join(begun, FILES.output)), before);
  });
});
