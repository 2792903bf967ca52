import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { executionIdOf } from '../../src/execution/execution-name';
import type { Capabilities } from '../../src/execution/execution-service';
import { isTerminal } from '../../src/execution/states';
import {
  attemptCancel,
  cellsOf,
  nextId,
  python,
  readText,
  rejects,
  untilEnded,
  wordsFor,
  type ContractSubject,
} from './contract-words';
import { until } from './until';

/** Every capability. */
const CAPABILITIES: Readonly<Record<keyof Capabilities, 'boolean' | 'true or absent'>> = {
  cancel: 'boolean',
  log: 'boolean',
  lateLog: 'true or absent',
  liveOutput: 'boolean',
  detailsOnGet: 'true or absent',
  queuesInOrder: 'true or absent',
  filters: 'true or absent',
};

/** The order of states; an execution may skip some. */
const ORDER = ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'CANCELLING'];

/**
 * The contract of src/execution/execution-service.ts for runs of a notebook: the same calls and the same expectations
 * for every service. Only `capabilities` and the subject's `differences` allow deviations.
 */
export function contractOfRuns(name: string, subject: ContractSubject): void {
  describe(`the contract, kept by ${name}`, function () {
    this.timeout(120_000);
    const { can, start } = wordsFor(subject);

    it('reports its differences, and no others', () => {
      for (const [key, value] of Object.entries(can())) {
        const allowed = CAPABILITIES[key as keyof Capabilities];
        assert.equal(
          allowed === 'boolean' ? typeof value : value,
          allowed === 'boolean' ? 'boolean' : true,
          key,
        );
      }
      assert.match(subject.client().id, /^[a-z]+(?:\/[a-z0-9-]+\/[a-z0-9-]+)?$/);
      assert.equal(subject.client().id, subject.client().id);
    });

    it('runs a notebook with parameters, and returns its output', async () => {
      const id = nextId();
      const created = await start(
        python(['x = 1', 'parameters'], 'print(x + 1)'),
        {
          displayName: 'sums',
          executionTemplate: { parameters: 'x: 41' },
          runOptions: { templateName: 'My Template', source: 'file:///somewhere/sums.ipynb' },
        },
        id,
      );
      assert.equal(executionIdOf(created.name), id);
      assert.equal(created.displayName, 'sums');
      assert.equal(created.executionTemplate?.parameters, 'x: 41');
      assert.equal(created.runOptions?.source, 'file:///somewhere/sums.ipynb');
      assert.equal(created.runOptions.environment, undefined);
      assert.ok(!isTerminal(created.state));

      const ended = await untilEnded(subject.client(), created.name);
      assert.equal(ended.state, 'SUCCEEDED');
      assert.deepEqual(
        [ended.name, ended.displayName, ended.runOptions?.templateName],
        [created.name, 'sums', 'My Template'],
      );
      assert.equal(ended.runStatus?.cause, undefined);
      assert.equal(ended.runStatus?.elsewhere, undefined);
      if (subject.differences?.partialEcho !== true) {
        assert.equal(ended.executionTemplate?.parameters, 'x: 41');
        assert.equal(ended.runOptions?.source, 'file:///somewhere/sums.ipynb');
      }
      if (subject.differences?.opaqueRun !== true) {
        assert.equal(ended.runStatus?.kernel?.language, 'python');
        assert.ok(ended.runStatus.progress);
        assert.equal(ended.runStatus.progress.completedCells, ended.runStatus.progress.totalCells);
      }

      const output = await subject.client().readOutput(ended);
      assert.ok(output !== undefined);
      const text = await readText(output);
      assert.match(text, /42\\n/);
      assert.equal(Buffer.byteLength(text), output.size);
      assert.equal(await readText(output), text, 'a document can be read again');
      assert.equal((await subject.client().readOutput(ended))?.version, output.version);
      assert.ok(ended.outputNotebookFile !== undefined);
    });

    it('reports the states in order, with ascending times', async () => {
      const created = await start(python('import time; time.sleep(0.3)'));
      const seen = [created.state];
      const ended = await until('it has ended', async () => {
        const execution = await subject.client().get(created.name);
        if (seen.at(-1) !== execution.state) seen.push(execution.state);
        return isTerminal(execution.state) && execution;
      });
      const places = seen.slice(0, -1).map((state) => ORDER.indexOf(state));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        seen.join(' '),
      );
      assert.ok(!places.includes(-1), seen.join(' '));
      const history = ended.runStatus?.history ?? [];
      const times = history.map(({ time }) => Date.parse(time));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.equal(history.at(-1)?.state, 'SUCCEEDED');
      assert.equal(history.at(-1)?.time, ended.runStatus?.endTime);
      if (subject.differences?.sampledHistory !== true) {
        assert.deepEqual(
          history.map(({ state }) => state),
          ['INITIALIZING', 'QUEUED', 'PREPARING', 'RUNNING', 'SUCCEEDED'],
        );
      }
    });

    it('reports which cell failed, and keeps earlier outputs', async () => {
      const created = await start(
        python('print("before")', 'raise ValueError("too small")', 'print("after")'),
      );
      const ended = await untilEnded(subject.client(), created.name);
      assert.equal(ended.state, 'FAILED');
      assert.equal(ended.runStatus?.cause, 'cellError');
      const { index, errorName, errorValue } = ended.runStatus.cell ?? {};
      assert.deepEqual([index, errorName, errorValue], [1, 'ValueError', 'too small']);
      const cells = cellsOf(await readText(await subject.client().readOutput(ended)));
      assert.match(JSON.stringify(cells[0]?.outputs), /before/);
      assert.deepEqual([cells[2]?.outputs, cells[2]?.execution_count], [[], null]);
      if (can().detailsOnGet === undefined) {
        const listed = (await subject.client().list({})).executions.find(
          (each) => each.name === created.name,
        );
        assert.deepEqual(listed?.runStatus?.cell, ended.runStatus.cell);
      }
    });

    it('cancels a run, and keeps its outputs', async () => {
      const marker = path.join(tmpdir(), `nbx-contract-${randomUUID()}`);
      // The printed text must not occur in the source.
      const source = `print("so" + " far", flush=True)\nopen(${JSON.stringify(marker)}, "w").close()\nimport time; time.sleep(600)`;
      const created = await start(python(source));
      // Every tested service runs the notebook on this machine, so the file is visible here.
      await until('the cell has printed', () => existsSync(marker));
      rmSync(marker);
      const cancelled = await attemptCancel(subject, created.name);
      if (cancelled === undefined) {
        await subject.client().delete(created.name);
        return;
      }
      assert.ok(['CANCELLING', 'CANCELLED'].includes(cancelled.state), cancelled.state);
      const ended = await untilEnded(subject.client(), created.name);
      assert.equal(ended.state, 'CANCELLED');
      assert.equal(ended.runStatus?.cause, 'cancelled');
      assert.match(await readText(await subject.client().readOutput(ended)), /so far/);
      const again = await subject.client().cancel(created.name);
      assert.equal(again.state, 'CANCELLED', 'what has ended stays as it ended');
    });

    it('shows the output while it grows, if the service supports it', async () => {
      const created = await start(python('print("early", flush=True)\nimport time; time.sleep(600)'));
      const running = await until('it runs', async () => {
        const execution = await subject.client().get(created.name);
        return execution.state === 'RUNNING' && execution;
      });
      if (can().liveOutput) {
        await until('its output shows', async () =>
          (await readText(await subject.client().readOutput(running))).includes('early\\n'),
        );
      } else {
        assert.equal(await subject.client().readOutput(running), undefined);
      }
      await subject.client().delete(created.name);
    });

    it('shows the log, or reports that there is no log', async () => {
      const created = await start(python('import os; os.write(2, b"to the raw descriptor\\n")'));
      const ended = await untilEnded(subject.client(), created.name);
      const client = subject.client();
      if (!can().log) {
        await rejects(client.readLog(ended, ''), 'UNIMPLEMENTED', 'logNotAvailable');
        return;
      }
      const { text, next } = await until('the log has the line', async () => {
        const chunk = await client.readLog(ended, '');
        return chunk.text.includes('to the raw descriptor') && chunk;
      });
      assert.ok(text.endsWith('\n'));
      assert.deepEqual(await client.readLog(ended, next), { text: '', next }, 'nothing is read twice');
    });
  });
}
