import assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import { CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';
import type { Misfortune } from '../../support/google/faults';

const RETRIED: Record<string, Misfortune> = {
  'a 408': { kind: 'answer', status: 408 },
  'a 429 without Retry-After': {
    kind: 'answer',
    status: 429,
    body: rpcError(429, 'RESOURCE_EXHAUSTED', 'Slow down.'),
  },
  'a 500': { kind: 'answer', status: 500, body: rpcError(500, 'INTERNAL', 'Internal error.') },
  'a 502 in HTML': { kind: 'answer', status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
  'a 503': { kind: 'answer', status: 503, body: rpcError(503, 'UNAVAILABLE', 'Busy.') },
  'a 504': { kind: 'answer', status: 504 },
  'a broken connection': { kind: 'reset' },
  'an answer that breaks off': { kind: 'resetMidBody' },
  'half a page': { kind: 'halfPage' },
};

function rpcError(code: number, status: string, message: string, details: unknown[] = []): unknown {
  return { error: { code, status, message, details } };
}

describe('requests to Google', function () {
  this.timeout(60_000);
  const cloud = new CloudDouble();
  before(() => cloud.start());
  after(() => cloud.stop());
  beforeEach(() => {
    cloud.vertex.faults.clear();
    cloud.vertex.requests.length = 0;
    cloud.clock.waits.length = 0;
  });
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
  });

  const list = (signal?: AbortSignal): Promise<unknown> =>
    cloud.google().service('vertex', PROJECT, LOCATION).list({ pageSize: 10 }, signal);
  const requests = (): number => cloud.vertex.count(/notebookExecutionJobs\.list/);

  for (const [what, misfortune] of Object.entries(RETRIED)) {
    it(`are retried after ${what}`, async () => {
      cloud.vertex.faults.add(/list/, misfortune, 2);
      await list();
      assert.equal(requests(), 3);
      assert.deepEqual(cloud.clock.waits, [500, 1000]);
    });
  }

  it('are given up after five attempts, with growing delays', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'reset' }, 10);
    await assert.rejects(list(), { name: 'ServiceError', status: 'UNAVAILABLE', reason: 'hostUnreachable' });
    assert.equal(requests(), 5);
    assert.deepEqual(cloud.clock.waits, [500, 1000, 2000, 4000]);
  });

  it('report a malformed answer after all attempts failed', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'halfPage' }, 10);
    await assert.rejects(list(), { reason: 'answerMalformed', status: 'UNAVAILABLE' });
  });

  it('wait as long as Retry-After specifies', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'answer', status: 429, headers: { 'retry-after': '7' } });
    await list();
    assert.deepEqual(cloud.clock.waits, [7000]);
  });

  it('wait as long as a RetryInfo specifies', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '9.5s' }];
    cloud.vertex.faults.add(/list/, {
      kind: 'answer',
      status: 503,
      body: rpcError(503, 'UNAVAILABLE', 'Busy.', details),
    });
    await list();
    assert.deepEqual(cloud.clock.waits, [9500]);
  });

  it('leave a long Retry-After to the caller', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'answer', status: 429, headers: { 'retry-after': '120' } });
    await assert.rejects(
      list(),
      (error) => error instanceof ServiceError && error.args['retryAfter'] === '120',
    );
    assert.equal(requests(), 1);
  });

  const usedUp = (details: unknown[]): unknown =>
    rpcError(429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Jobs'.", details);

  it('are not retried when a quota is used up; the error is passed on unchanged', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'answer', status: 429, body: usedUp([]) }, 5);
    await assert.rejects(list(), { status: 'RESOURCE_EXHAUSTED', reason: 'quotaExceeded' });
    assert.equal(requests(), 1);
    assert.deepEqual(cloud.clock.waits, []);
  });

  it('are retried when a quota is used up and the service gives a delay', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '20s' }];
    cloud.vertex.faults.add(/list/, { kind: 'answer', status: 429, body: usedUp(details) });
    await list();
    assert.equal(requests(), 2);
    assert.deepEqual(cloud.clock.waits, [20_000]);
  });

  it('are not retried when the answer would be the same', async () => {
    cloud.vertex.faults.add(/list/, {
      kind: 'answer',
      status: 400,
      body: rpcError(400, 'INVALID_ARGUMENT', 'Bad filter.'),
    });
    await assert.rejects(list(), { status: 'INVALID_ARGUMENT' });
    assert.equal(requests(), 1);
  });

  it('are retried when no answer comes in time', async () => {
    const service = cloud.google({ timeout: 300 }).service('vertex', PROJECT, LOCATION);
    await service.list({});
    cloud.vertex.requests.length = 0;
    cloud.vertex.faults.add(/list/, { kind: 'slow', milliseconds: 60_000 });
    await service.list({});
    assert.equal(requests(), 2);
    cloud.vertex.faults.add(/list/, { kind: 'slow', milliseconds: 60_000 }, 5);
    await assert.rejects(service.list({}), { status: 'DEADLINE_EXCEEDED', reason: 'timedOut' });
  });

  it('end immediately when they are aborted, with the caller’s reason', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'slow', milliseconds: 60_000 });
    const controller = new AbortController();
    const reason = new Error('the person changed their mind');
    const listing = list(controller.signal);
    const arrived = new Promise<void>((resolve) => {
      const look = (): void => {
        if (requests() === 1) resolve();
        else setImmediate(look);
      };
      look();
    });
    await arrived;
    controller.abort(reason);
    await assert.rejects(listing, reason);
    assert.equal(requests(), 1);
  });

  it('end while they wait for the next attempt', async () => {
    cloud.vertex.faults.add(/list/, { kind: 'reset' }, 10);
    const controller = new AbortController();
    const reason = new Error('closed');
    const google = cloud.google({
      clock: {
        now: () => Date.now(),
        random: () => 0,
        sleep: (_, signal) => {
          controller.abort(reason);
          signal?.throwIfAborted();
          return Promise.resolve();
        },
      },
    });
    await assert.rejects(google.service('vertex', PROJECT, LOCATION).list({}, controller.signal), reason);
    assert.equal(requests(), 1);
  });

  it('send a token in the header and no secret anywhere else', async () => {
    await list();
    const [request] = cloud.vertex.requests;
    assert.match(request?.headers.authorization ?? '', /^Bearer token-\d+$/);
    assert.doesNotMatch(JSON.stringify(request?.query), /token-|key/);
  });

  it('get a new token when theirs is refused, and continue', async () => {
    const service = cloud.google().service('vertex', PROJECT, LOCATION);
    await service.list({});
    const issued = cloud.tokens.issued;
    cloud.tokens.revokeTokens();
    await service.list({});
    assert.equal(cloud.tokens.issued, issued + 1);
  });
});
