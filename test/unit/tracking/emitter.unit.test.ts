import * as assert from 'node:assert/strict';
import { Emitter } from '../../../src/tracking/emitter';

describe('Emitter', () => {
  const { setImmediate: original } = globalThis;
  afterEach(() => {
    Reflect.set(globalThis, 'setImmediate', original);
  });

  it('calls the other listeners when one throws, and does not hide the error', () => {
    const later: (() => void)[] = [];
    Reflect.set(globalThis, 'setImmediate', (callback: () => void) => later.push(callback));
    const emitter = new Emitter<number>();
    const heard: number[] = [];
    emitter.event(() => {
      throw new Error('broken listener');
    });
    emitter.event((value) => heard.push(value));
    emitter.fire(1);
    assert.deepEqual(heard, [1]);
    assert.equal(later.length, 1);
    assert.throws(() => later[0]?.(), /broken listener/);
  });

  it('calls no listener after it was disposed of, and none after the emitter was disposed of', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    const first = emitter.event((value) => heard.push(`first ${String(value)}`));
    emitter.event((value) => heard.push(`second ${String(value)}`));
    first.dispose();
    emitter.fire(1);
    emitter.dispose();
    emitter.fire(2);
    assert.deepEqual(heard, ['second 1']);
  });
});
