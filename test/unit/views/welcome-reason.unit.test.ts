import assert from 'node:assert/strict';
import { ServiceError } from '../../../src/execution/errors';
import { welcomeReason } from '../../../src/views/explorer/welcome-reason';

describe('the message of an empty view', () => {
  const here = (error: Error) => ({ serviceId: 'embedded', error });
  const there = (error: Error) => ({ serviceId: 'vertex/project/us-central1', error });
  const broken = here(new ServiceError('UNAVAILABLE', 'serviceNotStarted', 'it does not start'));
  const refused = there(new ServiceError('UNAUTHENTICATED', 'credentialsExpired', 'they have expired'));
  const offline = there(new ServiceError('UNAVAILABLE', 'hostUnreachable', 'no network'));

  it('names the most severe reason why executions cannot be listed or created', () => {
    assert.equal(welcomeReason(false, 0, [], 'found'), '');
    assert.equal(welcomeReason(false, 0, [], 'pythonMissing'), 'pythonMissing');
    assert.equal(welcomeReason(false, 0, [], 'ipykernelMissing'), 'ipykernelMissing');
    assert.equal(welcomeReason(false, 0, [refused], 'pythonMissing'), 'credentials');
    assert.equal(welcomeReason(false, 0, [offline], 'found'), 'cloudFails');
    assert.equal(welcomeReason(false, 0, [here(new Error('unknown'))], 'found'), 'serviceFails');
    assert.equal(welcomeReason(false, 0, [refused, broken], 'found'), 'serviceNotStarted');
    const foreign = here(new ServiceError('FAILED_PRECONDITION', 'dataDirectoryForeign', 'other files'));
    assert.equal(welcomeReason(false, 0, [offline, foreign], 'found'), 'dataDirectoryForeign');
  });

  it('names the filter when it hides everything, and is empty when executions are shown', () => {
    assert.equal(welcomeReason(true, 0, [offline], 'pythonMissing'), 'filtered');
    assert.equal(welcomeReason(true, 1, [broken], 'pythonMissing'), '');
  });
});
