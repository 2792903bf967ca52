import assert from 'node:assert/strict';
import { LOCATION, PROJECT } from '../../support/google/cloud';
import { MovableClock, NOTEBOOK, nextId, requestOf, suiteOfCloud } from './cloud-suite';
import { untilEnded } from './support';

describe('logs in Cloud Logging', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();
  const clock = new MovableClock();
  const google = () => cloud.google({ clock });
  beforeEach(() => {
    // A minute later, so that no entry is too recent.
    clock.passed = 60_000;
  });
  afterEach(() => {
    cloud.logging.denied = undefined;
    cloud.logging.mostOfPage = 1000;
    cloud.logging.emptyPages = 0;
    cloud.logging.entries.length = 0;
  });

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const ended = async () => {
        const service = google().service(kind, PROJECT, LOCATION);
        const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
        const execution = await untilEnded(service, name);
        const job = execution.jobUri?.split('/').at(-1) ?? '';
        const resource =
          kind === 'vertex'
            ? {
                type: 'aiplatform.googleapis.com/NotebookRuntime',
                labels: { job: name.split('/').at(-1) ?? '' },
              }
            : { type: 'ml_job', labels: { job_id: job } };
        return { service, execution, resource };
      };

      it('are read in order of time, each entry once, without entries of other jobs', async () => {
        const { service, execution, resource } = await ended();
        const now = Date.now();
        cloud.logging.write(resource, { textPayload: 'second', severity: 'ERROR' }, now + 1);
        cloud.logging.write(resource, { textPayload: 'first' }, now);
        cloud.logging.write(resource, { textPayload: 'third' }, now + 1);
        cloud.logging.write(
          { type: resource.type, labels: { job_id: 'other', job: 'other' } },
          { textPayload: 'no' },
        );
        const { text, next } = await service.readLog(execution, '');
        const lines = text.split('\n').map((line) => line.replace(/^\S+Z /, ''));
        assert.deepEqual(lines, ['first', 'ERROR second', 'third', '']);
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z first\n/);
        assert.deepEqual(await service.readLog(execution, next), { text: '', next });
        cloud.logging.write(resource, { jsonPayload: { message: 'in JSON', more: 1 } }, now + 1);
        cloud.logging.write(resource, { jsonPayload: { more: 1 } }, now + 2);
        const more = await service.readLog(execution, next);
        assert.deepEqual(more.text.match(/(?<=Z ).*/g), ['in JSON', '{"more":1}']);
        assert.equal((await service.readLog(execution, more.next)).text, '');
      });

      it('are read over several pages, empty ones included, and never endlessly', async () => {
        const { service, execution, resource } = await ended();
        for (let line = 0; line < 25; line += 1) cloud.logging.write(resource, { textPayload: String(line) });
        cloud.logging.mostOfPage = 2;
        cloud.logging.emptyPages = 2;
        let text = '';
        let reads = 0;
        for (let from = ''; ; reads += 1) {
          const chunk = await service.readLog(execution, from);
          if (chunk.next === from) break;
          text += chunk.text;
          from = chunk.next;
        }
        const lines = text.match(/(?<=Z ).*/g)?.map(Number);
        assert.deepEqual(
          lines,
          Array.from({ length: 25 }, (_, line) => line),
        );
        assert.equal(reads, 2);
        cloud.logging.emptyPages = 1000;
        cloud.logging.requests.length = 0;
        assert.deepEqual(await service.readLog(execution, ''), { text: '', next: '' });
        assert.equal(cloud.logging.requests.length, 10);
      });

      it('leave recent entries for the next read, because earlier ones may still arrive', async () => {
        const { service, execution, resource } = await ended();
        cloud.logging.write(resource, { textPayload: 'young' });
        clock.passed = 0;
        assert.equal((await service.readLog(execution, '')).text, '');
        clock.passed = 6000;
        assert.match((await service.readLog(execution, '')).text, /young/);
      });

      for (const message of [
        "Permission 'logging.logEntries.list' denied on resource (or it may not exist).",
        'The caller does not have permission',
      ]) {
        it(`report the missing permission: ${message}`, async () => {
          const { service, execution } = await ended();
          cloud.logging.denied = message;
          await assert.rejects(service.readLog(execution, ''), {
            reason: 'permissionDenied',
            args: {
              permission: 'logging.logEntries.list',
              role: 'Logs Viewer',
              project: PROJECT,
              url: `https://console.cloud.google.com/iam-admin/iam?project=${PROJECT}`,
            },
          });
        });
      }
    });
  }

  it('are empty while there is no job, and unknown for a Dataproc job', async () => {
    const service = google().service('notebooks', PROJECT, LOCATION);
    const execution = { name: `projects/${PROJECT}/locations/${LOCATION}/executions/a`, state: 'QUEUED' };
    assert.deepEqual(await service.readLog(execution, ''), { text: '', next: '' });
    const jobUri = 'projects/my-project/regions/us-central1/jobs/7';
    await assert.rejects(service.readLog({ ...execution, jobUri }, ''), { reason: 'logNotAvailable' });
    assert.deepEqual(cloud.logging.requests, []);
  });

  it('exclude audit entries of Vertex AI, which are about requests', async () => {
    const service = google().service('vertex', PROJECT, LOCATION);
    const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
    const execution = await untilEnded(service, name);
    const audit = 'projects/my-project/logs/cloudaudit.googleapis.com%2Factivity';
    const protoPayload = { '@type': 'type.googleapis.com/google.cloud.audit.AuditLog', resourceName: name };
    cloud.logging.write({ type: 'audited_resource', labels: {} }, { protoPayload }, Date.now(), audit);
    assert.equal((await service.readLog(execution, '')).text, '');
  });
});
