import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { CompletionNotifier } from '../../../src/tracking/completion-notifier';
import { NoticeSchema, type Notice } from '../../../src/tracking/records';
import { Emitter } from '../../../src/tracking/emitter';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { RecordFolder } from '../../../src/tracking/record-folder';
import { FakeClock } from './fake-clock';
import { ScriptedService } from './scripted-service';

/** A window: its own store and notifier over the folder that all windows share. */
class TestWindow {
  readonly store = new ExecutionStore();
  readonly notices: RecordFolder<Notice>;
  readonly notifier: CompletionNotifier;
  readonly reported: string[][] = [];
  /** The same for executions that were submitted together. */
  readonly reportedBatches: string[][] = [];
  private readonly focusEmitter = new Emitter<void>();
  private isFocused: boolean;

  constructor(
    private readonly world: World,
    { processId = 1, workspace = 'file:///w', focused = true } = {},
  ) {
    this.isFocused = focused;
    const isFocused = () => this.isFocused;
    this.store.addService(world.service);
    this.notices = new RecordFolder(world.folder, (value) => NoticeSchema.parse(value));
    this.notifier = new CompletionNotifier({
      store: this.store,
      notices: this.notices,
      clock: world.clock,
      window: {
        get focused() {
          return isFocused();
        },
        onDidChange: this.focusEmitter.event,
      },
      workspace,
      processId,
      isAlive: (id) => world.alive.has(id),
      log: () => undefined,
    });
    this.notifier.onDidEnd(({ executions, batch }) => {
      const names = executions.map(({ execution }) => execution.name.split('/').at(-1) ?? '');
      (batch ? this.reportedBatches : this.reported).push(names);
    });
    world.alive.add(processId);
    world.windows.push(this);
  }

  async submit(id: string, batch?: string): Promise<void> {
    await this.notifier.submitted(
      this.store.apply(this.store.begin(), this.world.service, this.world.service.put(id)),
      batch,
    );
  }

  /** A state as a poller would report it. */
  receive(id: string, state: string): void {
    const execution = this.world.service.put(id, { state });
    this.store.apply(this.store.begin(), this.world.service, execution);
  }

  focus(focused = true): void {
    this.isFocused = focused;
    this.focusEmitter.fire();
  }
}

class World {
  readonly clock = new FakeClock();
  readonly service = new ScriptedService();
  readonly alive = new Set<number>();
  readonly windows: TestWindow[] = [];
  constructor(readonly folder: string) {}

  /** Advances the clock. */
  advance(milliseconds: number): Promise<void> {
    return this.clock.advance(milliseconds);
  }
}

describe('CompletionNotifier', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(await mkdtemp(path.join(os.tmpdir(), 'notices-')));
  });
  afterEach(async () => {
    for (const { notifier, store } of world.windows) {
      notifier.dispose();
      notifier.dispose();
      store.dispose();
    }
    await rm(world.folder, { recursive: true });
  });

  it('reports the end of executions submitted here, once', async () => {
    const window = new TestWindow(world);
    await window.submit('a');
    await world.advance(5000);
    assert.deepEqual(window.reported, []);
    window.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    window.receive('a', 'SUCCEEDED');
    await world.advance(20_000);
    assert.deepEqual(window.reported, [['a']]);
    assert.deepEqual(await readdir(world.folder), []);
  });

  it('does not report executions of other clients or those that were already finished', async () => {
    const window = new TestWindow(world);
    window.receive('a', 'RUNNING');
    window.receive('a', 'FAILED');
    window.receive('old', 'SUCCEEDED');
    await world.advance(20_000);
    assert.deepEqual(window.reported, []);
  });

  it('reports executions that end together in one message', async () => {
    const window = new TestWindow(world);
    for (const id of ['a', 'b', 'c']) await window.submit(id);
    window.receive('a', 'SUCCEEDED');
    await world.advance(100);
    window.receive('b', 'FAILED');
    window.receive('c', 'CANCELLED');
    await world.advance(1000);
    assert.deepEqual(window.reported, [['a', 'b', 'c']]);
  });

  it('reports an execution that ended before its submission was recorded', async () => {
    const window = new TestWindow(world);
    const { service } = world;
    const tracked = window.store.apply(window.store.begin(), service, service.put('a', { state: 'FAILED' }));
    await window.notifier.submitted(tracked);
    await world.advance(1000);
    assert.deepEqual(window.reported, [['a']]);
  });

  it('after a reload reports executions that finished meanwhile, once', async () => {
    const first = new TestWindow(world, { processId: 1 });
    await first.submit('a');
    first.notifier.dispose();
    world.alive.delete(1);
    const second = new TestWindow(world, { processId: 2 });
    await second.notifier.restore();
    assert.equal(second.notifier.awaitedNames('test').length, 1);
    second.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    assert.deepEqual(second.reported, [['a']]);
    const third = new TestWindow(world, { processId: 3 });
    await third.notifier.restore();
    third.receive('a', 'SUCCEEDED');
    await world.advance(20_000);
    assert.deepEqual(third.reported, []);
  });

  it('reports in the next window executions that ended just before the window closed', async () => {
    const first = new TestWindow(world, { processId: 1 });
    await first.submit('a');
    first.receive('a', 'SUCCEEDED');
    first.notifier.dispose();
    world.alive.delete(1);
    await world.advance(1000);
    const second = new TestWindow(world, { processId: 2 });
    await second.notifier.restore();
    second.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    assert.deepEqual([first.reported, second.reported], [[], [['a']]]);
  });

  it('shows a message immediately in a window without focus, and marks it as seen only after the window has focus', async () => {
    const window = new TestWindow(world, { focused: false });
    await window.submit('a');
    window.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    assert.deepEqual(window.reported, [['a']]);
    assert.equal((await readdir(world.folder)).length, 1, 'the window may close before anybody saw it');
    window.focus();
    await world.advance(1000);
    assert.deepEqual(await readdir(world.folder), []);
    assert.deepEqual(window.reported, [['a']]);
  });

  it('repeats in the next window messages that were shown without focus in the closed one', async () => {
    const first = new TestWindow(world, { processId: 1, focused: false });
    await first.submit('a');
    first.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    first.notifier.dispose();
    world.alive.delete(1);
    const second = new TestWindow(world, { processId: 2, focused: false });
    await second.notifier.restore();
    second.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    assert.deepEqual(second.reported, [], 'not while the window has no focus');
    second.focus();
    await world.advance(1000);
    assert.deepEqual(second.reported, [['a']]);
  });

  it('also reports executions that could not be recorded', async () => {
    const window = new TestWindow(world);
    await rm(world.folder, { recursive: true });
    await writeFile(world.folder, 'no folder');
    await window.submit('a');
    await rm(world.folder);
    await mkdir(world.folder);
    window.receive('a', 'SUCCEEDED');
    await world.advance(1000);
    assert.deepEqual(window.reported, [['a']]);
  });

  describe('two windows', () => {
    it('the window that submitted the execution reports it, the other does not', async () => {
      const one = new TestWindow(world, { processId: 1 });
      await one.submit('a');
      const two = new TestWindow(world, { processId: 2 });
      await two.notifier.restore();
      two.receive('a', 'SUCCEEDED');
      await world.advance(1000);
      one.receive('a', 'SUCCEEDED');
      await world.advance(60_000);
      assert.deepEqual([one.reported, two.reported], [[['a']], []]);
    });

    it('the other window reports it if the submitting window is open but cannot', async () => {
      const one = new TestWindow(world, { processId: 1 });
      await one.submit('a');
      const two = new TestWindow(world, { processId: 2 });
      await two.notifier.restore();
      two.receive('a', 'SUCCEEDED');
      await world.advance(60_000);
      assert.deepEqual(two.reported, [['a']]);
      one.receive('a', 'SUCCEEDED');
      await world.advance(60_000);
      assert.deepEqual(one.reported, []);
    });

    it('only one of two windows reports it after the submitting window is gone', async () => {
      const gone = new TestWindow(world, { processId: 1 });
      await gone.submit('a');
      gone.notifier.dispose();
      world.alive.delete(1);
      const both = [new TestWindow(world, { processId: 2 }), new TestWindow(world, { processId: 3 })];
      for (const { notifier } of both) await notifier.restore();
      for (const window of both) window.receive('a', 'SUCCEEDED');
      await world.advance(60_000);
      assert.equal(both.flatMap(({ reported }) => reported).length, 1);
    });

    it('windows of other workspaces do not report it', async () => {
      const gone = new TestWindow(world, { processId: 1 });
      await gone.submit('a');
      gone.notifier.dispose();
      world.alive.delete(1);
      const other = new TestWindow(world, { processId: 2, workspace: 'file:///other' });
      await other.notifier.restore();
      other.receive('a', 'SUCCEEDED');
      await world.advance(60_000);
      assert.deepEqual(other.reported, []);
      assert.equal((await readdir(world.folder)).length, 1);
    });
  });

  it('does not report executions that the user has deleted or seen', async () => {
    const window = new TestWindow(world);
    await window.submit('a');
    await window.submit('b');
    await window.notifier.forget('test|projects/local/locations/local/executions/a');
    window.receive('b', 'SUCCEEDED');
    window.receive('a', 'SUCCEEDED');
    await window.notifier.forget('test|projects/local/locations/local/executions/b');
    await world.advance(1000);
    assert.deepEqual(window.reported, []);
    assert.deepEqual(await readdir(world.folder), []);
  });

  describe('of a batch', () => {
    it('reports all results together, once all executions were submitted and have ended', async () => {
      const window = new TestWindow(world);
      const batch = window.notifier.beginBatch();
      await window.submit('a', batch);
      window.receive('a', 'SUCCEEDED');
      await world.advance(20_000);
      await window.submit('b', batch);
      await window.submit('alone');
      window.notifier.endBatch(batch);
      window.receive('alone', 'SUCCEEDED');
      await world.advance(20_000);
      assert.deepEqual([window.reported, window.reportedBatches], [[['alone']], []]);
      window.receive('b', 'FAILED');
      await world.advance(1000);
      assert.deepEqual([window.reported, window.reportedBatches], [[['alone']], [['a', 'b']]]);
      await world.advance(60_000);
      assert.equal(window.reportedBatches.length, 1);
      assert.deepEqual(await readdir(world.folder), []);
    });

    it('does not wait for executions that were deleted or never submitted', async () => {
      const window = new TestWindow(world);
      const batch = window.notifier.beginBatch();
      for (const id of ['a', 'b']) await window.submit(id, batch);
      window.receive('a', 'SUCCEEDED');
      window.notifier.endBatch(batch);
      await window.notifier.forget(`${world.service.id}|${world.service.put('b').name}`);
      await world.advance(1000);
      assert.deepEqual(window.reportedBatches, [['a']]);
    });

    it('is reported only by the submitting window while it is open, and by the next window when it is gone', async () => {
      const first = new TestWindow(world, { processId: 1 });
      const batch = first.notifier.beginBatch();
      for (const id of ['a', 'b']) await first.submit(id, batch);
      const second = new TestWindow(world, { processId: 2 });
      await second.notifier.restore();
      for (const id of ['a', 'b']) second.receive(id, 'SUCCEEDED');
      await world.advance(60_000);
      assert.deepEqual(second.reportedBatches, []);
      first.notifier.dispose();
      world.alive.delete(1);
      await world.advance(20_000);
      assert.deepEqual(second.reportedBatches.flat().sort(), ['a', 'b']);
      await world.advance(60_000);
      assert.equal(second.reportedBatches.length, 1);
    });
  });
});
