import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FILES } from '../../../src/protocol/execution-folder';
import { RUN_TIMEOUTS } from '../../../src/runner/run';
import { assertValid } from '../notebook/validation';
import { cleanUp, notebookOf, papermill, run, textOf, type RunResult } from './running';
import { scriptedKernel } from './scripted-kernel';

const OK = "reply({'status': 'ok', 'execution_count': 1})\nstatus('idle')";

/** Runs two cells on it. */
async function runOn(execute: string, languageInfo?: string): Promise<RunResult> {
  const result = await run(notebookOf('first', 'second'), {
    job: { kernel: scriptedKernel(execute, languageInfo) },
  });
  assertValid({ output: fs.readFileSync(path.join(result.folder, FILES.output)) });
  return result;
}

describe('kernels that violate the protocol', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  it('ask for input although it is disabled: it is refused, and nothing hangs', async () => {
    const { state, outputs } = await runOn(
      `iopub('stream', {'name': 'stdout', 'text': json.dumps(ask())})\n${OK}`,
    );
    assert.equal(state, 'SUCCEEDED');
    assert.deepEqual(JSON.parse(textOf(outputs[0])), { value: '', status: 'error' });
  });

  it('send data that nbformat does not allow: the output is valid and keeps the data', async () => {
    const data =
      "{'text/plain': 5, 'text/html': None, 'application/x-own': {'a': [1.5]}, 'application/json': {'b': 1}, 'text/x': ['a', 'b']}";
    const { state, outputs, notebook } = await runOn(
      `
iopub('display_data', {'data': ${data}, 'metadata': 7, 'transient': {'display_id': 'd'}})
iopub('update_display_data', {'data': ${data}, 'metadata': {}, 'transient': {'display_id': 'd'}})
iopub('execute_result', {'data': ${data}, 'metadata': {}, 'execution_count': 1.5})
iopub('execute_result', {'data': {}, 'metadata': {}, 'execution_count': -1})
iopub('error', {'ename': None, 'traceback': [1]})
reply({'status': 'ok', 'execution_count': -1})
status('idle')`,
      "{'name': 'odd', 'codemirror_mode': None, 'mimetype': 1, 'own': [1]}",
    );
    assert.equal(state, 'SUCCEEDED');
    const [shown] = outputs[0] ?? [];
    assert.deepEqual(shown?.output_type === 'display_data' && { ...shown.data }, {
      'text/plain': '5',
      'text/html': 'null',
      'application/x-own': '{"a":[1.5]}',
      'application/json': { b: 1 },
      'text/x': 'ab',
    });
    assert.deepEqual(notebook.metadata['language_info'], { name: 'odd', own: [1] });
  });

  it('do not name their language: the output is valid', async () => {
    assert.equal((await runOn(OK, '{}')).state, 'SUCCEEDED');
  });

  it('send malformed replies: the cell still ends', async () => {
    for (const more of ["'payload': None", "'payload': {}", "'ename': None", "'execution_count': 'x'"]) {
      const { state } = await runOn(`reply({'status': 'ok', ${more}})\nstatus('idle')`);
      assert.equal(state, 'SUCCEEDED', more);
    }
  });

  it('send an unreadable status: the run continues', async () => {
    const broken = `iopub('status', b'{"execution_state": ')\n${OK}`;
    assert.equal((await runOn(broken)).state, 'SUCCEEDED');
  });

  it('abort a cell without an idle status: it has failed', async () => {
    const { state, cause, notebook } = await runOn("reply({'status': 'aborted'})");
    assert.deepEqual([state, cause], ['FAILED', 'cellError']);
    assert.deepEqual(papermill(notebook, 'status'), ['failed', 'pending']);
  });

  it('never send a status: each cell ends after a bounded wait, without a warning about late outputs', async () => {
    const mute = "reply({'status': 'ok', 'execution_count': 1})";
    const result = await run(notebookOf('first'), {
      job: { kernel: scriptedKernel(mute), cellTimeout: 1 },
      options: { timeouts: { ...RUN_TIMEOUTS, idle: 1500, transfer: 100 } },
    });
    assert.deepEqual([result.state, result.warnings], ['SUCCEEDED', ['idleMissing']]);
  });

  it('lose messages: a warning for each cell where it can be detected, and for no other', async () => {
    const loses = `
if code not in ('no input', 'neither'):
    iopub('execute_input', {'code': code, 'execution_count': 1})
known = {'data': {}, 'metadata': {}, 'transient': {'display_id': 'known'}}
if code == 'all':
    iopub('display_data', known)
    iopub('comm_open', {'comm_id': 'known', 'target_name': 'mine', 'data': {}})
elif code == 'known':
    iopub('update_display_data', known)
    iopub('comm_msg', {'comm_id': 'known', 'data': {}})
    iopub('comm_close', {'comm_id': 'known', 'data': {}})
elif code == 'update':
    iopub('update_display_data', {**known, 'transient': {'display_id': 'lost'}})
elif code == 'comm':
    iopub('comm_msg', {'comm_id': 'lost', 'data': {'method': 'update', 'state': {}}})
    iopub('comm_close', {'comm_id': 'lost', 'data': {}})
${OK}`;
    const cells = ['all', 'known', 'update', 'comm', 'no input'];
    const { status } = await run(notebookOf(...cells), { job: { kernel: scriptedKernel(loses) } });
    const lost = (index: string): object => ({ code: 'messagesLost', args: [index] });
    assert.deepEqual(status.runStatus.warnings, ['2', '3', '4'].map(lost));
    const silent = await run(notebookOf('neither', 'neither'), { job: { kernel: scriptedKernel(loses) } });
    assert.deepEqual(silent.warnings, []);
  });

  describe('send nothing on iopub, but reply:', () => {
    const CELLS = Array.from({ length: 200 }, (_, index) => String(index));
    // Without its subscriber no message arrives; a closed one would be a lost connection.
    const FALLS_SILENT =
      "globals().update(kept=outputs, outputs=context.socket(zmq.PUB)) if code == '0' else None";
    const timeouts = { ...RUN_TIMEOUTS, idle: 1000 };

    // Waiting in each cell would exceed the time limit of the test.
    it('the wait for messages happens once, and every cell has its warning', async () => {
      const { state, warnings } = await run(notebookOf(...CELLS), {
        job: { kernel: scriptedKernel(`${FALLS_SILENT}\n${OK}`) },
        options: { timeouts },
      });
      assert.equal(state, 'SUCCEEDED');
      assert.deepEqual(
        warnings,
        CELLS.map(() => 'idleMissing'),
      );
    });

    it('messages that resume later are recorded', async () => {
      const speaksAgain = `
${FALLS_SILENT}
if code == '2':
    globals()['outputs'] = kept
    iopub('stream', {'name': 'stdout', 'text': 'again'})
    time.sleep(0.5)
${OK}`;
      const { state, warnings, outputs } = await run(notebookOf('0', '1', '2', '3'), {
        job: { kernel: scriptedKernel(speaksAgain) },
        options: { timeouts },
      });
      assert.equal(state, 'SUCCEEDED');
      assert.deepEqual(warnings, ['idleMissing', 'idleMissing']);
      assert.equal(textOf(outputs[2]), 'again');
    });
  });

  it('send outputs long after the reply, and do not answer meanwhile: all of them are awaited', async () => {
    const late = `
import time
reply({'status': 'ok', 'execution_count': 1})
for number in range(40):
    time.sleep(0.05)
    iopub('stream', {'name': 'stdout', 'text': '.'})
status('idle')`;
    const { state, warnings, outputs } = await run(notebookOf('late'), {
      job: { kernel: scriptedKernel(late) },
      options: { timeouts: { ...RUN_TIMEOUTS, idle: 1000 } },
    });
    assert.deepEqual([state, warnings, textOf(outputs[0]).length], ['SUCCEEDED', [], 40]);
  });

  it('send a large message slowly: it is awaited', async () => {
    // A proxy for iopub. From a large message on, it forwards to the first connection long after the second one.
    const slowly = `
import threading, time
from socket import create_connection, create_server
server = create_server(('127.0.0.1', info['iopub_port']))
with create_server(('127.0.0.1', 0)) as free:
    info['iopub_port'] = free.getsockname()[1]
heard = threading.Event()
def passing(source, target, number):
    passed = 0
    while data := source.recv(1 << 16):
        if number == 0 and passed > 1 << 20 and not heard.is_set():
            heard.wait()
            time.sleep(1.5)
        target.sendall(data)
        passed += len(data)
        if number == 1 and b'status' in data:
            heard.set()
def accepting():
    for number in range(2):
        ours = server.accept()[0]
        while True:
            try:
                theirs = create_connection(('127.0.0.1', info['iopub_port']))
                break
            except ConnectionRefusedError:
                pass
        threading.Thread(target=passing, args=(ours, theirs, -1), daemon=True).start()
        threading.Thread(target=passing, args=(theirs, ours, number), daemon=True).start()
threading.Thread(target=accepting, daemon=True).start()`;
    const large = `iopub('stream', {'name': 'stdout', 'text': 'x' * 30_000_000})\n${OK}`;
    const { state, warnings, outputs } = await run(notebookOf('large'), {
      job: { kernel: scriptedKernel(large, "{'name': 'python'}", slowly) },
      options: { timeouts: { ...RUN_TIMEOUTS, idle: 1000 } },
    });
    assert.deepEqual([state, warnings, textOf(outputs[0]).length], ['SUCCEEDED', [], 30_000_000]);
  });
});
