import assert from 'node:assert/strict';
import type { Execution } from '../../../src/execution/execution';
import {
  capabilitiesOf,
  durationOf,
  mayHaveOutput,
  notebookNameOf,
} from '../../../src/wording/execution-facts';
import { nameOf, ScriptedService } from '../tracking/scripted-service';

const execution = (fields: Partial<Execution> = {}): Execution => ({
  name: nameOf('id-1'),
  state: 'RUNNING',
  ...fields,
});
const tracked = (fields: Partial<Execution> = {}, capabilities = {}) => {
  const service = new ScriptedService();
  Object.assign(service.capabilities, capabilities);
  return { key: 'k', service, execution: execution(fields) };
};

describe('the name of an execution', () => {
  for (const [what, fields, name] of [
    ['the file’s, decoded', { runOptions: { source: 'file:///w/my%20r%C3%A9sum%C3%A9.ipynb' } }, 'my résumé'],
    ['of a file on a remote', { runOptions: { source: 'vscode-remote://h/w/a.IPYNB?x#y' } }, 'a'],
    ['of an untitled notebook', { runOptions: { source: 'untitled:Untitled-1.ipynb' } }, 'Untitled-1'],
    ['unchanged if it cannot be decoded', { runOptions: { source: 'file:///w/50%.ipynb' } }, '50%'],
    ['the display name without a source', { displayName: 'nightly' }, 'nightly'],
    ['the id without anything', {}, 'id-1'],
  ] as const) {
    it(what, () => {
      assert.equal(notebookNameOf(execution(fields)), name);
    });
  }
});

describe('duration of an execution', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const times = { startTime: '2026-01-01T00:59:00Z', endTime: '2026-01-01T00:59:10Z' };
  for (const [what, fields, duration] of [
    ['runs up to now', { runStatus: { startTime: times.startTime } }, 60_000],
    ['ended after its start', { state: 'FAILED', runStatus: times }, 10_000],
    ['without a start counts from its creation', { createTime: '2026-01-01T00:58:00Z' }, 120_000],
    [
      'ends at the last update if the service reports no end',
      { state: 'SUCCEEDED', createTime: times.startTime, updateTime: times.endTime },
      10_000,
    ],
    ['is never negative, even with wrong clocks', { createTime: '2026-01-01T02:00:00Z' }, 0],
    ['is unknown for an unknown state', { state: 'NEW', createTime: times.startTime }, undefined],
    ['without times is unknown', {}, undefined],
    ['with broken times is unknown', { createTime: 'yesterday' }, undefined],
  ] as const) {
    it(what, () => {
      assert.equal(durationOf(execution(fields), now), duration);
    });
  }
});

describe('actions on an execution', () => {
  const can = (fields: Partial<Execution>, word: string, capabilities = {}) =>
    capabilitiesOf(tracked(fields, capabilities)).includes(word);

  it('cancel: while it is active, not yet being cancelled, and the service supports it', () => {
    for (const [state, expected] of [
      ['QUEUED', true],
      ['RUNNING', true],
      ['CANCELLING', false],
      ['FAILED', false],
      ['NEW', false],
    ] as const)
      assert.equal(can({ state }, 'cancellable'), expected, state);
    assert.equal(can({ state: 'RUNNING' }, 'cancellable', { cancel: false }), false);
  });

  it('open the output: while it runs if the service shows it, and after it ran', () => {
    assert.equal(mayHaveOutput(tracked({ state: 'QUEUED' })), false);
    assert.equal(mayHaveOutput(tracked({ state: 'RUNNING' })), true);
    assert.equal(mayHaveOutput(tracked({ state: 'RUNNING' }, { liveOutput: false })), false);
    assert.equal(mayHaveOutput(tracked({ state: 'FAILED' })), false);
    assert.equal(mayHaveOutput(tracked({ state: 'FAILED', runStatus: { startTime: 'x' } })), true);
    assert.equal(mayHaveOutput(tracked({ state: 'SUCCEEDED', outputNotebookFile: 'gs://b/o' })), true);
    assert.equal(mayHaveOutput(tracked({ state: 'FAILED' }, { detailsOnGet: true })), true);
    assert.equal(
      mayHaveOutput(tracked({ state: 'RUNNING' }, { detailsOnGet: true, liveOutput: false })),
      false,
    );
  });

  it('go to the failing cell: when the failed cell is known', () => {
    assert.equal(
      can({ state: 'FAILED', runStatus: { cell: { index: 0, errorName: 'E' } } }, 'failedCell'),
      true,
    );
    assert.equal(can({ state: 'FAILED', runStatus: { cause: 'hostLost' } }, 'failedCell'), false);
    // A kernel that died or a time limit has no error name, but a cell.
    const cell = { index: 0 };
    assert.equal(can({ state: 'FAILED', runStatus: { cause: 'kernelDied', cell } }, 'failedCell'), true);
    assert.equal(can({ state: 'EXPIRED', runStatus: { cause: 'timeout', cell } }, 'failedCell'), true);
    assert.equal(can({ state: 'CANCELLED', runStatus: { cause: 'cancelled', cell } }, 'failedCell'), false);
  });

  it('always: delete, open the input', () => {
    for (const state of ['RUNNING', 'FAILED', 'NEW'])
      for (const word of ['execution', 'deletable', 'hasInput']) assert.equal(can({ state }, word), true);
  });
});
