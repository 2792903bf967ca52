import assert from 'node:assert/strict';
import type { ServiceError } from '../../../src/execution/errors';
import { endpointOf } from '../../../src/google/requests/endpoints';
import { BUCKET, CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';

describe('choices on Google Cloud', function () {
  this.timeout(60_000);
  const cloud = new CloudDouble();
  before(() => cloud.start());
  after(() => cloud.stop());
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
  });

  it('projects, of all pages', async () => {
    assert.deepEqual(
      (await cloud.google().directory().projects()).map(({ id }) => id),
      ['another-project', 'my-project', 'old-project'],
    );
  });

  for (const kind of ['vertex', 'notebooks'] as const) {
    it(`regions with ${kind}`, async () => {
      const locations = await cloud.google().directory().locations(kind, PROJECT);
      assert.deepEqual(
        locations.map(({ id }) => id),
        ['europe-west4', 'us-central1'],
      );
    });
  }

  it('buckets', async () => {
    const buckets = await cloud.google().directory().buckets(PROJECT, LOCATION);
    assert.deepEqual(
      buckets.map(({ id }) => id),
      [BUCKET],
    );
  });

  it('runtime templates', async () => {
    const templates = await cloud.google().directory().runtimeTemplates(PROJECT, LOCATION);
    assert.deepEqual(
      templates.map(({ label }) => label),
      ['Default'],
    );
  });
});

describe('Google’s endpoints', () => {
  it('are Google’s own by default', () => {
    assert.equal(
      endpointOf('aiplatform', {}, 'us-central1'),
      'https://us-central1-aiplatform.googleapis.com/',
    );
    assert.equal(endpointOf('aiplatform', {}), 'https://aiplatform.googleapis.com/');
    assert.equal(endpointOf('notebooks', {}, 'us-central1'), 'https://notebooks.googleapis.com/');
  });

  it('are the user’s when the setting is set', () => {
    const aiplatform = 'https://{location}.private.example:8443';
    assert.equal(
      endpointOf('aiplatform', { aiplatform }, 'us-central1'),
      'https://us-central1.private.example:8443/',
    );
  });

  for (const endpoint of [
    '',
    'storage.example',
    'file:///etc',
    'javascript:alert(1)',
    'https://proxy.example/storage',
    'https://proxy.example/storage/v1/',
    'https://proxy.example/?key=secret',
    'https://proxy.example/#part',
    'https://me:secret@proxy.example/',
    'https://me@proxy.example/',
  ]) {
    it(`are refused where they are not scheme, host and port: ${JSON.stringify(endpoint)}`, () => {
      assert.throws(
        () => endpointOf('storage', { storage: endpoint }),
        ({ reason, args, message }: ServiceError) => {
          assert.equal(reason, 'fieldInvalid');
          assert.equal(args['field'], 'notebookExecutions.google.endpoints.storage');
          assert.doesNotMatch(`${message} ${JSON.stringify(args)}`, /secret/);
          return true;
        },
      );
    });
  }

  for (const location of ['evil.example/', 'us-central1@evil.example', '', 'US', '../x']) {
    it(`are refused for the location ${JSON.stringify(location)}: the host would get the token`, () => {
      assert.throws(() => endpointOf('aiplatform', {}, location), { reason: 'fieldInvalid' });
    });
  }
});
