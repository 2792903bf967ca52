import * as assert from 'node:assert/strict';
import { stringifyJson } from '../../../src/notebook/json';
import { OutputRecorder } from '../../../src/recording/recorder';
import { clear, display, message, outputsAfter, recorderOf, stored, stream, update } from './vectors';

describe('recording of outputs, from messages alone', () => {
  describe('streams', () => {
    it('with the same name are joined', () => {
      assert.deepEqual(outputsAfter([stream('a'), stream('b\n'), stream('c')]), [stored.stream('ab\nc')]);
    });
    it('with another name start a new output', () => {
      assert.deepEqual(outputsAfter([stream('a'), stream('e', 'r0', 'stderr'), stream('b')]), [
        stored.stream('a'),
        stored.stream('e', 'stderr'),
        stored.stream('b'),
      ]);
    });
    it('start a new output after another output', () => {
      assert.deepEqual(outputsAfter([stream('a'), display('d'), stream('b')]), [
        stored.stream('a'),
        stored.display('d'),
        stored.stream('b'),
      ]);
    });
    it('apply carriage returns across messages', () => {
      assert.deepEqual(outputsAfter([stream('1%\r'), stream('2%\r'), stream('3%\n')]), [
        stored.stream('3%\n'),
      ]);
    });
  });

  describe('the cell of a message', () => {
    it('is the one whose request is the parent, however late the message comes', () => {
      const messages = [stream('late', 'r0'), stream('own', 'r2'), stream('r', 'r0')];
      assert.deepEqual(outputsAfter(messages, 0), [stored.stream('later')]);
      assert.deepEqual(outputsAfter(messages, 2), [stored.stream('own')]);
    });
    it('messages with an unknown parent or none are ignored', () => {
      assert.deepEqual(
        outputsAfter([stream('x', 'other'), message('stream', { name: 'stdout', text: 'y' }, '')]),
        [],
      );
      const orphan = { ...stream('z'), parentId: undefined };
      assert.deepEqual(outputsAfter([orphan]), []);
    });
    it('a message that is not JSON changes nothing', () => {
      assert.deepEqual(
        outputsAfter([message('stream', '{"name":'), message('display_data', '['), stream('a')]),
        [stored.stream('a')],
      );
    });
    it('a stream message whose content is not an object adds no text', () => {
      assert.deepEqual(outputsAfter([message('stream', 'null'), stream('a')]), [stored.stream('a')]);
    });
  });

  describe('results, displays, errors', () => {
    it('execute_result keeps its count', () => {
      const content = { execution_count: 7, data: { 'text/plain': '2' }, metadata: { a: 1 }, transient: {} };
      assert.deepEqual(outputsAfter([message('execute_result', content)]), [
        {
          output_type: 'execute_result',
          execution_count: 7,
          data: { 'text/plain': '2' },
          metadata: { a: 1 },
        },
      ]);
    });
    it('numbers keep their exact text', () => {
      const content =
        '{"data":{"application/json":{"a":1.0,"b":12345678901234567890,"c":-0.0}},"metadata":{}}';
      const [output] = outputsAfter([message('display_data', content)]);
      assert.equal(
        stringifyJson({ ...output }),
        '{"output_type":"display_data","data":{"application/json":{"a":1.0,"b":12345678901234567890,"c":-0.0}},"metadata":{}}',
      );
    });
    it('errors keep only name, value and traceback', () => {
      const error = { ename: 'E', evalue: 'v', traceback: ['t'] };
      assert.deepEqual(outputsAfter([message('error', { ...error, status: 'error', execution_count: 1 })]), [
        { output_type: 'error', ...error },
      ]);
    });
  });

  describe('display ids', () => {
    it('an update replaces all outputs of the id, in every cell', () => {
      const messages = [display('a', 'id'), display('b', 'id', 'r2'), update('c', 'id', 'r2')];
      assert.deepEqual(outputsAfter(messages, 0), [stored.display('c')]);
      assert.deepEqual(outputsAfter(messages, 2), [stored.display('c')]);
    });
    it('a display with a known id replaces the earlier ones too', () => {
      assert.deepEqual(outputsAfter([display('a', 'id'), display('b', 'id')]), [
        stored.display('b'),
        stored.display('b'),
      ]);
    });
    it('an update never appends', () => {
      assert.deepEqual(outputsAfter([update('a', 'unknown')]), []);
    });
    it('an update of a display that was cleared changes nothing', () => {
      assert.deepEqual(outputsAfter([display('a', 'id'), clear(false), update('b', 'id')]), []);
    });
    it('transient data is not stored', () => {
      const [output] = outputsAfter([display('a', 'id')]);
      assert.deepEqual(Object.keys(output ?? {}), ['output_type', 'data', 'metadata']);
    });
  });

  describe('clear_output', () => {
    it('clears immediately', () => {
      assert.deepEqual(outputsAfter([stream('a'), clear(false)]), []);
    });
    it('with wait, clears when the next output comes', () => {
      assert.deepEqual(outputsAfter([stream('a'), clear(true)]), [stored.stream('a')]);
      assert.deepEqual(outputsAfter([stream('a'), clear(true), stream('b')]), [stored.stream('b')]);
      assert.deepEqual(outputsAfter([stream('a'), clear(true), display('b')]), [stored.display('b')]);
    });
    it('without wait cancels a pending wait', () => {
      assert.deepEqual(outputsAfter([stream('a'), clear(true), clear(false), stream('b'), stream('c')]), [
        stored.stream('bc'),
      ]);
    });
    it('clears only its own cell', () => {
      assert.deepEqual(outputsAfter([stream('a', 'r2'), clear(false)], 2), [stored.stream('a')]);
    });
  });

  it('a message too long for a string is replaced by a notice', () => {
    const recorder = new OutputRecorder(() => undefined, 30);
    recorder.startCell(0, 'r0');
    assert.equal(recorder.record(stream('a')), undefined);
    assert.equal(recorder.record(stream('much too long')), 'tooLarge');
    const [first, second] = recorder.outputsOf(0);
    assert.ok(first?.type === 'stream' && second?.type === 'stream');
    assert.match(second.text.toString(), /stream of 40 bytes/);
  });

  it('reports which cell and which output changed', () => {
    const changes: (number | undefined)[] = [];
    const recorder = new OutputRecorder((index) => changes.push(index));
    recorder.startCell(0, 'r0');
    recorder.startCell(2, 'r2');
    recorder.record(display('a', 'id'));
    recorder.record(update('b', 'id', 'r2'));
    recorder.record(clear(true));
    recorder.record(stream('stranger', 'nobody'));
    assert.deepEqual(changes, [0, 0]);
  });

  it('depends only on the messages', () => {
    const messages = [display('a', 'id'), stream('s\r'), update('b', 'id', 'r2'), stream('t')];
    assert.deepEqual(outputsAfter(messages), outputsAfter(messages));
    assert.equal(recorderOf(messages).cellOf('r2'), 2);
  });
});
