/*
 * A runner without kernel that implements src/protocol/runner-job.ts, for tests of the service. The parameters of the job
 * select its behaviour: {"fake": one of the cases below}.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { ControlRequestSchema, RunnerJobSchema, type RunnerStatus } from '../../../src/protocol/runner-job';
import { FILES } from '../../../src/protocol/execution-folder';
import { controlAddress } from '../../../src/protocol/runtime-directory';

const { values } = parseArgs({ options: { runtime: { type: 'string' }, job: { type: 'string' } } });
const runtime = values.runtime ?? '';
// A pooled runner without a kernel is not needed in a test.
if (values.job === undefined) process.exit(0);
const job = RunnerJobSchema.parse(JSON.parse(fs.readFileSync(values.job, 'utf8')));
const { fake = 'succeed' } = JSON.parse(job.parameters ?? '{}') as { fake?: string };
if (fake === 'refuse') process.exit(3);
fs.writeFileSync(path.join(job.folder, FILES.claim), String(process.pid), { flag: 'wx' });
fs.appendFileSync(path.join(path.dirname(job.folder), '..', 'runs'), `${job.name} ${job.attempt}\n`);
fs.rmSync(values.job);

const sockets = new Set<net.Socket>();
const history: { state: string; time: string }[] = [];
let status: RunnerStatus;

function say(state: string, more: RunnerStatus['runStatus'] = {}): void {
  history.push({ state, time: new Date().toISOString() });
  status = { version: 1, attempt: job.attempt, state, runStatus: { history, ...more } };
  const file = path.join(job.folder, FILES.status);
  fs.writeFileSync(`${file}.aside`, JSON.stringify(status));
  fs.renameSync(`${file}.aside`, file);
  for (const socket of sockets) socket.write(`${JSON.stringify({ type: 'status', status })}\n`);
}

function end(state: string, more: RunnerStatus['runStatus'] = {}): void {
  fs.writeFileSync(path.join(job.folder, FILES.output), `output of ${job.name} ${job.attempt}`);
  say(state, more);
  setTimeout(() => process.exit(0), 20);
}

say('PREPARING');
// A busy service may not connect to a short run before it is over.
if (fake === 'unheard') {
  end('SUCCEEDED');
  process.exit(0);
}
net
  .createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      for (const line of data.toString().split('\n').filter(Boolean)) {
        if (ControlRequestSchema.parse(JSON.parse(line)).type !== 'cancel' || fake === 'deaf') continue;
        say('CANCELLING');
        end('CANCELLED', { cause: 'cancelled' });
      }
    });
    socket.write(`${JSON.stringify({ type: 'status', status })}\n`);
    if (fake === 'odd') {
      const incomplete = { version: 1, attempt: job.attempt, state: 'RUNNING' };
      const statuses = [incomplete, null].map((each) => ({ type: 'status', status: each }));
      for (const event of [...statuses, { type: 'ofNewerVersion' }, 'text'])
        socket.write(`${JSON.stringify(event)}\n`);
      socket.write('no JSON\n');
    }
  })
  .listen(controlAddress(runtime), () => {
    if (fake === 'notReady' || (fake === 'notReadyOnce' && job.attempt === 1)) {
      end('FAILED', { cause: 'kernelNotReady', message: 'fake' });
      return;
    }
    say('RUNNING');
    fs.writeFileSync(path.join(job.folder, 'pid'), String(process.pid));
    if (fake === 'succeed' || fake === 'notReadyOnce') {
      end('SUCCEEDED');
    } else if (fake === 'crash' || (fake === 'crashOnce' && job.attempt === 1)) {
      process.kill(process.pid, 'SIGKILL');
    } else if (fake === 'crashOnce') {
      end('SUCCEEDED');
    }
    // `wait`, `odd`, and `deaf`, which cannot be cancelled: until the test makes this file.
    else {
      const timer = setInterval(() => {
        // The test is over, and no longer waits for this one.
        if (!fs.existsSync(job.folder)) process.exit(0);
        if (!fs.existsSync(path.join(job.folder, 'go'))) return;
        clearInterval(timer);
        end('SUCCEEDED');
      }, 10);
    }
  });
