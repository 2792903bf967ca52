import * as assert from 'node:assert/strict';
import type { KernelMessage } from '../../../src/recording/kernel-message';
import { clear, display, message, outputsAfter, recorderOf, stored, stream, update } from './vectors';

const OUTPUT = {
  _model_module: '@jupyter-widgets/output',
  _model_name: 'OutputModel',
  outputs: [],
  msg_id: '',
};

function open(id: string, state: object, buffers: Buffer[] = [], paths: unknown[] = []): KernelMessage {
  const data = { state, buffer_paths: paths };
  return message('comm_open', { comm_id: id, target_name: 'jupyter.widget', data }, 'r0', buffers);
}

function change(
  id: string,
  state: object,
  buffers: Buffer[] = [],
  paths: unknown[] = [],
  method = 'update',
): KernelMessage {
  return message('comm_msg', { comm_id: id, data: { method, state, buffer_paths: paths } }, 'r0', buffers);
}

/** The widget models in the metadata after these messages. */
function models(messages: readonly KernelMessage[]): unknown {
  const metadata = recorderOf(messages).widgets.toMetadata();
  if (metadata === undefined) return undefined;
  const state = metadata['application/vnd.jupyter.widget-state+json'];
  assert.ok(state && typeof state === 'object' && 'state' in state && 'version_major' in state);
  assert.deepEqual([state['version_major'], state['version_minor']], [2, 0]);
  return state['state'];
}

describe('widgets, from messages alone', () => {
  const slider = {
    _model_module: '@jupyter-widgets/controls',
    _model_name: 'S',
    _model_module_version: '2.0.0',
  };

  it('no widgets, no metadata', () => {
    assert.equal(
      models([stream('a'), message('comm_open', { comm_id: 'x', target_name: 'other', data: {} })]),
      undefined,
    );
  });
  it('state is kept and updated', () => {
    assert.deepEqual(models([open('w', { ...slider, value: 1, min: 0 }), change('w', { value: 5 })]), {
      w: {
        model_name: 'S',
        model_module: '@jupyter-widgets/controls',
        model_module_version: '2.0.0',
        state: { ...slider, value: 5, min: 0 },
      },
    });
  });
  it('an echo updates, a custom message does not', () => {
    const messages = [open('w', { ...slider, value: 1 }), change('w', { value: 2 }, [], [], 'echo_update')];
    const after = models([...messages, change('w', { value: 3 }, [], [], 'custom')]);
    assert.deepEqual((after as { w: { state: { value: number } } }).w.state.value, 2);
  });
  it('buffers are base64 with their path; the latest of each key is kept', () => {
    const messages = [
      open('w', { ...slider }, [Buffer.from('old'), Buffer.from('x')], [['value'], ['data', 0]]),
      change('w', {}, [Buffer.from('new')], [['value']]),
    ];
    assert.deepEqual((models(messages) as { w: { buffers: unknown } }).w.buffers, [
      { encoding: 'base64', path: ['data', 0], data: Buffer.from('x').toString('base64') },
      { encoding: 'base64', path: ['value'], data: Buffer.from('new').toString('base64') },
    ]);
  });
  it('a buffer is removed when its key is set without one', () => {
    const messages = [
      open('w', { ...slider }, [Buffer.from('b')], [['value']]),
      change('w', { value: null }),
    ];
    assert.equal((models(messages) as { w: { buffers?: unknown } }).w.buffers, undefined);
  });
  it('closed widgets are gone', () => {
    assert.equal(models([open('w', slider), message('comm_close', { comm_id: 'w', data: {} })]), undefined);
  });

  describe('Output widget', () => {
    const captured = (messages: readonly KernelMessage[], id = 'w'): unknown =>
      (models(messages) as Record<string, { state: { outputs: unknown } }>)[id]?.state.outputs;

    it('captures outputs of the request in its msg_id until it is cleared', () => {
      const messages = [
        open('w', OUTPUT),
        change('w', { msg_id: 'r0' }),
        stream('in'),
        display('d'),
        change('w', { msg_id: '' }),
        stream('out'),
      ];
      assert.deepEqual(captured(messages), [stored.stream('in'), stored.display('d')]);
      assert.deepEqual(outputsAfter(messages), [stored.stream('out')]);
    });
    it('the innermost widget captures', () => {
      const messages = [
        open('a', OUTPUT),
        open('b', OUTPUT),
        change('a', { msg_id: 'r0' }),
        change('b', { msg_id: 'r0' }),
        stream('inner'),
        change('b', { msg_id: '' }),
        stream('outer'),
      ];
      assert.deepEqual(captured(messages, 'b'), [stored.stream('inner')]);
      assert.deepEqual(captured(messages, 'a'), [stored.stream('outer')]);
    });
    it('clear_output clears the captured outputs', () => {
      const messages = [
        open('w', OUTPUT),
        change('w', { msg_id: 'r0' }),
        stream('a'),
        clear(true),
        stream('b'),
      ];
      assert.deepEqual(captured(messages), [stored.stream('b')]);
    });
    it('displays in it can be updated', () => {
      const messages = [
        open('w', OUTPUT),
        change('w', { msg_id: 'r0' }),
        display('a', 'id'),
        change('w', { msg_id: '' }),
        update('b', 'id', 'r2'),
      ];
      assert.deepEqual(captured(messages), [stored.display('b')]);
    });
    it('outputs that the kernel assigns replace the captured ones', () => {
      const messages = [
        open('w', OUTPUT),
        change('w', { outputs: [stored.stream('assigned', 'stderr'), stored.display('d')] }),
      ];
      assert.deepEqual(captured(messages), [stored.stream('assigned', 'stderr'), stored.display('d')]);
    });
    it('captured outputs are sent to the kernel once', () => {
      const recorder = recorderOf([
        open('w', OUTPUT),
        change('w', { msg_id: 'r0' }),
        stream('a'),
        stream('b'),
      ]);
      assert.deepEqual(recorder.widgets.takeUpdates(), [
        {
          comm_id: 'w',
          data: { method: 'update', state: { outputs: [stored.stream('ab')] }, buffer_paths: [] },
        },
      ]);
      assert.deepEqual(recorder.widgets.takeUpdates(), []);
    });
    it('an echo of sent outputs changes nothing', () => {
      const echo = change('w', { outputs: [] }, [], [], 'echo_update');
      const messages = [open('w', OUTPUT), change('w', { msg_id: 'r0' }), stream('a'), echo];
      assert.deepEqual(captured(messages), [stored.stream('a')]);
    });
    it('a closed widget captures nothing more', () => {
      const messages = [
        open('w', OUTPUT),
        change('w', { msg_id: 'r0' }),
        message('comm_close', { comm_id: 'w', data: {} }),
        stream('a'),
      ];
      assert.deepEqual(outputsAfter(messages), [stored.stream('a')]);
    });
  });
});
