import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { ServiceError } from '../../../src/execution/errors';
import type { GoogleOptions } from '../../../src/google/index';
import { failureOf } from '../../../src/google/requests/failure';
import { CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';

describe('Google credentials', function () {
  this.timeout(60_000);
  const cloud = new CloudDouble();
  const saved = { ...process.env };
  let file = '';
  before(() => cloud.start());
  after(() => cloud.stop());
  beforeEach(() => {
    // Neither the developer's own login nor a metadata server is used.
    process.env['CLOUDSDK_CONFIG'] = path.join(cloud.folder, 'gcloud');
    process.env['METADATA_SERVER_DETECTION'] = 'none';
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    file = path.join(cloud.folder, 'credentials.json');
    cloud.vertex.requests.length = 0;
  });
  afterEach(() => {
    process.env = { ...saved };
    cloud.tokens.failure = undefined;
    cloud.tokens.failureStatus = 400;
    cloud.tokens.skew = 0;
    cloud.tokens.impersonationError = undefined;
    assert.deepEqual(cloud.problems, []);
  });

  const list = (options: Partial<GoogleOptions>): Promise<unknown> =>
    cloud.google(options).service('vertex', PROJECT, LOCATION).list({});
  const headers = (): NodeJS.Dict<string | string[]> => cloud.vertex.requests.at(-1)?.headers ?? {};

  it('of a service account’s key file', async () => {
    await list({ keyFile: cloud.keyFile });
    assert.match(String(headers()['authorization']), /^Bearer token-/);
  });

  it('of gcloud’s login, with its quota project', async () => {
    const folder = process.env['CLOUDSDK_CONFIG'] ?? '';
    await mkdir(folder, { recursive: true });
    const login = path.join(folder, 'application_default_credentials.json');
    await writeFile(login, cloud.tokens.personalCredentials('quota-project'));
    await list({ keyFile: undefined });
    assert.equal(headers()['x-goog-user-project'], 'quota-project');
    await rm(login);
  });

  it('of GOOGLE_APPLICATION_CREDENTIALS, with the setting’s quota project', async () => {
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    await writeFile(file, cloud.tokens.personalCredentials(null));
    await list({ keyFile: undefined, quotaProject: 'billed-project' });
    assert.equal(headers()['x-goog-user-project'], 'billed-project');
  });

  it('of workload identity federation', async () => {
    const subject = path.join(cloud.folder, 'subject');
    await writeFile(subject, 'subject-token');
    await writeFile(file, cloud.tokens.workloadIdentity(subject));
    await list({ keyFile: file });
    assert.match(String(headers()['authorization']), /^Bearer token-/);
  });

  it('of the machine, from its metadata server', async () => {
    delete process.env['METADATA_SERVER_DETECTION'];
    process.env['GCE_METADATA_HOST'] = new URL(cloud.tokens.endpoint).host;
    await list({ keyFile: undefined });
    assert.match(String(headers()['authorization']), /^Bearer token-/);
  });

  it('of a login that impersonates a service account, over the same connection as all requests', async () => {
    const hosts: string[] = [];
    const send: typeof fetch = (input, init) => {
      hosts.push(new URL(input instanceof Request ? input.url : input).host);
      return cloud.tokens.fetch(input, init);
    };
    await writeFile(file, cloud.tokens.impersonation());
    await list({ keyFile: file, fetch: send });
    assert.deepEqual(hosts, [
      'oauth2.googleapis.com',
      'iamcredentials.googleapis.com',
      new URL(cloud.vertex.endpoint).host,
    ]);
  });

  it('without a quota project report that, and a quota project set later is used without a restart', async () => {
    await writeFile(file, cloud.tokens.personalCredentials(null));
    const service = cloud.google({ keyFile: file }).service('vertex', PROJECT, LOCATION);
    await assert.rejects(service.list({}), {
      status: 'PERMISSION_DENIED',
      reason: 'quotaProjectMissing',
      args: {
        service: 'aiplatform.googleapis.com',
        command: 'gcloud auth application-default set-quota-project my-project',
      },
    });
    await writeFile(file, cloud.tokens.personalCredentials('my-project'));
    await service.list({});
    await writeFile(file, cloud.tokens.personalCredentials('forbidden-project'));
    const other = cloud.google({ keyFile: file }).service('vertex', PROJECT, LOCATION);
    await assert.rejects(other.list({}), {
      reason: 'quotaProjectDenied',
      args: {
        project: 'forbidden-project',
        url: 'https://console.cloud.google.com/iam-admin/iam?project=forbidden-project',
      },
    });
  });

  it('that are missing are reported with the command that creates them', async () => {
    await assert.rejects(list({ keyFile: undefined }), {
      status: 'UNAUTHENTICATED',
      reason: 'credentialsMissing',
      args: { command: 'gcloud auth application-default login' },
    });
  });

  for (const [what, content, problem] of [
    ['does not exist', undefined, /no such file/],
    ['is not JSON', 'not json', /is no JSON/],
    ['is not a key file', '{"type": "something"}', /no known type/],
    ['is a client of OAuth', '{"installed": {"client_secret": "hidden"}}', /no known type/],
  ] as const) {
    it(`say that the key file ${what}`, async () => {
      await rm(file, { force: true });
      if (content !== undefined) await writeFile(file, content);
      await assert.rejects(
        list({ keyFile: file }),
        (error) =>
          error instanceof ServiceError &&
          error.reason === 'credentialsUnusable' &&
          error.args['path'] === file &&
          problem.test(error.args['problem'] ?? '') &&
          !error.message.includes('hidden'),
      );
    });
  }

  it('that were revoked are reported, and a new login works without a restart', async () => {
    await writeFile(file, cloud.tokens.personalCredentials());
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    const service = cloud.google({ keyFile: undefined }).service('vertex', PROJECT, LOCATION);
    await service.list({});
    cloud.tokens.refreshTokens.delete('refresh-1');
    cloud.tokens.revokeTokens();
    await assert.rejects(service.list({}), {
      status: 'UNAUTHENTICATED',
      reason: 'credentialsInvalid',
      args: {
        path: file,
        variable: 'GOOGLE_APPLICATION_CREDENTIALS',
        problem: 'invalid_grant Token has been expired or revoked.',
      },
    });
    cloud.tokens.refreshTokens.add('refresh-2');
    await writeFile(file, cloud.tokens.personalCredentials('my-project', 'refresh-2'));
    await service.list({});
  });

  it('that are created later are found', async () => {
    const service = cloud.google({ keyFile: file }).service('vertex', PROJECT, LOCATION);
    await rm(file, { force: true });
    await assert.rejects(service.list({}), { reason: 'credentialsUnusable' });
    await writeFile(file, cloud.tokens.serviceAccountKey());
    await service.list({});
  });

  it('report a wrong clock', async () => {
    cloud.tokens.skew = 86_400_000;
    await assert.rejects(list({ keyFile: cloud.keyFile }), { reason: 'clockSkewed' });
  });

  for (const [status, reason] of [
    [429, 'rateLimited'],
    [503, 'serviceUnavailable'],
  ] as const) {
    it(`are not treated as invalid when a token endpoint answers ${String(status)}`, async () => {
      cloud.tokens.failure = { error: 'temporarily_unavailable', error_description: 'Come back later.' };
      cloud.tokens.failureStatus = status;
      cloud.clock.waits.length = 0;
      await assert.rejects(list({ keyFile: cloud.keyFile }), { reason });
      assert.deepEqual(cloud.clock.waits, [500, 1000, 2000, 4000]);
    });
  }

  it('that a token exchange refuses are reported immediately', async () => {
    const subject = path.join(cloud.folder, 'subject');
    await writeFile(subject, 'eyJhbGciOiJub25l.eyJzdWIiOiJtZSJ9.signature');
    await writeFile(file, cloud.tokens.workloadIdentity(subject));
    cloud.tokens.failure = { error: 'invalid_grant', error_description: 'Wrong audience.' };
    cloud.clock.waits.length = 0;
    await assert.rejects(list({ keyFile: file }), (error: ServiceError) => {
      assert.deepEqual([error.status, error.reason], ['UNAUTHENTICATED', 'credentialsInvalid']);
      assert.match(error.message, /Wrong audience/);
      assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /eyJ/);
      return true;
    });
    assert.deepEqual(cloud.clock.waits, []);
  });

  it('that may not impersonate name the missing permission at once', async () => {
    await writeFile(file, cloud.tokens.impersonation());
    const message =
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    cloud.tokens.refreshTokens.add('refresh-1');
    cloud.tokens.impersonationError = { code: 403, status: 'PERMISSION_DENIED', message };
    cloud.clock.waits.length = 0;
    await assert.rejects(list({ keyFile: file }), {
      status: 'PERMISSION_DENIED',
      reason: 'permissionDenied',
      args: { permission: 'iam.serviceAccounts.getAccessToken' },
    });
    assert.deepEqual(cloud.clock.waits, []);
  });

  it('that are refused for another reason do not say that the clock is wrong', async () => {
    cloud.tokens.failure = {
      error: 'invalid_grant',
      error_description: 'The account is not associated with the appropriate pool.',
    };
    await assert.rejects(list({ keyFile: cloud.keyFile }), { reason: 'credentialsInvalid' });
  });

  for (const [what, content] of [
    ['are for another universe', () => cloud.tokens.serviceAccountKey('example.universe')],
    ['read a file that is not there', () => cloud.tokens.workloadIdentity('/no/such/subject')],
  ] as const) {
    it(`that ${what} are reported immediately`, async () => {
      await writeFile(file, content());
      cloud.clock.waits.length = 0;
      await assert.rejects(
        list({ keyFile: file }),
        ({ status, reason, args }: ServiceError) =>
          status === 'UNAUTHENTICATED' &&
          reason === 'credentialsUnusable' &&
          /example\.universe|no\/such/.test(args['problem'] ?? ''),
      );
      assert.deepEqual(cloud.clock.waits, []);
    });
  }

  it('leave no token in the details of a failed request', async () => {
    const denied = { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.', details: [] } };
    cloud.vertex.faults.add(/list/, { kind: 'answer', status: 403, body: denied });
    await assert.rejects(list({ keyFile: cloud.keyFile }), (error: Error) => {
      assert.ok(error.cause instanceof Error);
      assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /token-\d|authorization/i);
      return true;
    });
  });

  it('that a program printed never appear in an error', () => {
    const printed = '{"token_type": "saml2", "saml_response": "PHNhbWw+", "id_token":"opaque", "code": "E1"}';
    const { message } = failureOf(new Error(`The executable returned an invalid response: ${printed}`));
    assert.doesNotMatch(message, /PHNhbWw|opaque/);
    assert.match(message, /"saml2".*"E1"/);
  });

  it('never appear in an error', async () => {
    cloud.tokens.failure = { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' };
    await assert.rejects(list({ keyFile: cloud.keyFile }), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.doesNotMatch(
        `${error.message} ${JSON.stringify(error.args)} ${error.stack ?? ''}`,
        /PRIVATE KEY|assertion=|eyJ/,
      );
      return true;
    });
  });
});
