import assert from 'node:assert/strict';
import { translateFailure, type RequestContext } from '../../../src/google/requests/error-translation';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const CONTEXT: RequestContext = { project: 'my-project', location: 'us-central1', name: 'projects/p/x/1' };

interface Case {
  readonly body: unknown;
  readonly httpCode: number;
  readonly context?: RequestContext;
  readonly expected: readonly [status: string, reason: string, args: Record<string, string>];
}

function rpc(
  code: number,
  status: string,
  message: string,
  info?: { reason: string; metadata?: Record<string, string> },
  ...more: unknown[]
): unknown {
  const details = [
    ...(info === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'googleapis.com', ...info }]),
    ...more,
  ];
  return { error: { code, status, message, details } };
}

const CASES: Record<string, Case> = {
  'an API that is off': {
    httpCode: 403,
    body: rpc(
      403,
      'PERMISSION_DENIED',
      'Vertex AI API has not been used in project 1 before or it is disabled.',
      {
        reason: 'SERVICE_DISABLED',
        metadata: {
          service: 'aiplatform.googleapis.com',
          consumer: 'projects/1',
          activationUrl:
            'https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=1',
        },
      },
    ),
    expected: [
      'PERMISSION_DENIED',
      'apiNotEnabled',
      {
        service: 'aiplatform.googleapis.com',
        project: '1',
        url: 'https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=1',
      },
    ],
  },
  'an API that is off, without a link': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', 'Off.', {
      reason: 'SERVICE_DISABLED',
      metadata: { service: 'notebooks.googleapis.com' },
    }),
    expected: [
      'PERMISSION_DENIED',
      'apiNotEnabled',
      {
        service: 'notebooks.googleapis.com',
        project: 'my-project',
        url: 'https://console.cloud.google.com/apis/library/notebooks.googleapis.com?project=my-project',
      },
    ],
  },
  'a missing permission, named by the details': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', 'Denied.', {
      reason: 'IAM_PERMISSION_DENIED',
      metadata: {
        permission: 'aiplatform.notebookExecutionJobs.create',
        resource: 'projects/my-project/locations/us-central1',
      },
    }),
    expected: [
      'PERMISSION_DENIED',
      'permissionDenied',
      {
        permission: 'aiplatform.notebookExecutionJobs.create',
        resource: 'projects/my-project/locations/us-central1',
        project: 'my-project',
      },
    ],
  },
  'a missing permission, named by the message': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', "Permission 'notebooks.executions.create' denied on resource."),
    expected: [
      'PERMISSION_DENIED',
      'permissionDenied',
      { permission: 'notebooks.executions.create', project: 'my-project' },
    ],
  },
  'a missing permission in Cloud Storage': {
    httpCode: 403,
    body: {
      error: {
        code: 403,
        message:
          'me@example.com does not have storage.objects.create access to the Google Cloud Storage object.',
        errors: [{ reason: 'forbidden' }],
      },
    },
    expected: [
      'PERMISSION_DENIED',
      'permissionDenied',
      { permission: 'storage.objects.create', project: 'my-project' },
    ],
  },
  'no right to act as the service account': {
    httpCode: 403,
    body: rpc(
      403,
      'PERMISSION_DENIED',
      'You do not have permission to act as service account: runner@my-project.iam.gserviceaccount.com.',
    ),
    expected: [
      'PERMISSION_DENIED',
      'actAsMissing',
      {
        serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
        url: 'https://console.cloud.google.com/iam-admin/serviceaccounts?project=my-project',
      },
    ],
  },
  'iam.serviceAccounts.actAs in a message that names no account': {
    httpCode: 400,
    body: rpc(400, 'FAILED_PRECONDITION', 'The caller lacks iam.serviceAccounts.actAs.'),
    context: { ...CONTEXT, serviceAccount: 'sa@x' },
    expected: [
      'FAILED_PRECONDITION',
      'actAsMissing',
      {
        serviceAccount: 'sa@x',
        url: 'https://console.cloud.google.com/iam-admin/serviceaccounts?project=my-project',
      },
    ],
  },
  'a project that does not exist': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', 'Permission denied on resource project my-projetc.', {
      reason: 'CONSUMER_INVALID',
      metadata: { consumer: 'projects/my-projetc' },
    }),
    context: { ...CONTEXT, project: 'my-projetc' },
    expected: ['PERMISSION_DENIED', 'projectNotFound', { project: 'my-projetc' }],
  },
  'a project that was deleted': {
    httpCode: 404,
    body: rpc(404, 'NOT_FOUND', "Project 'my-project' not found or deleted."),
    expected: ['NOT_FOUND', 'projectNotFound', { project: 'my-project' }],
  },
  'billing that is off': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled.', {
      reason: 'BILLING_DISABLED',
    }),
    expected: [
      'PERMISSION_DENIED',
      'billingDisabled',
      {
        project: 'my-project',
        url: 'https://console.cloud.google.com/billing/linkedaccount?project=my-project',
      },
    ],
  },
  'a bucket that does not exist': {
    httpCode: 404,
    body: {
      error: { code: 404, message: 'The specified bucket does not exist.', errors: [{ reason: 'notFound' }] },
    },
    context: { ...CONTEXT, bucket: 'buckte' },
    expected: ['NOT_FOUND', 'bucketNotFound', { bucket: 'buckte' }],
  },
  'a bucket that Vertex AI does not find': {
    httpCode: 400,
    body: rpc(400, 'INVALID_ARGUMENT', 'The bucket gs://buckte/x does not exist.'),
    expected: ['INVALID_ARGUMENT', 'bucketNotFound', { bucket: 'buckte' }],
  },
  'a bucket in another region': {
    httpCode: 400,
    body: rpc(
      400,
      'FAILED_PRECONDITION',
      'The bucket gs://theirs is in location EU, which differs from us-central1.',
    ),
    expected: ['FAILED_PRECONDITION', 'bucketWrongRegion', { bucket: 'theirs', location: 'us-central1' }],
  },
  'a region without the service': {
    httpCode: 400,
    body: rpc(400, 'INVALID_ARGUMENT', 'Unsupported region for this service: mars-west1.'),
    context: { ...CONTEXT, location: 'mars-west1' },
    expected: ['INVALID_ARGUMENT', 'regionWithoutService', { location: 'mars-west1' }],
  },
  'a location that is not found': {
    httpCode: 403,
    body: rpc(403, 'PERMISSION_DENIED', 'Location mars-west1 is not found or access is unauthorized.'),
    context: { ...CONTEXT, location: 'mars-west1' },
    expected: ['PERMISSION_DENIED', 'regionWithoutService', { location: 'mars-west1' }],
  },
  'a front end without that region': {
    httpCode: 404,
    body: '<html>Not Found</html>',
    expected: ['NOT_FOUND', 'regionWithoutService', { location: 'us-central1' }],
  },
  'a quota': {
    httpCode: 429,
    body: rpc(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', {
      reason: 'RATE_LIMIT_EXCEEDED',
      metadata: { quota_metric: 'aiplatform.googleapis.com/custom_jobs' },
    }),
    expected: [
      'RESOURCE_EXHAUSTED',
      'quotaExceeded',
      { quota: 'aiplatform.googleapis.com/custom_jobs', project: 'my-project' },
    ],
  },
  'a quota, by its violations': {
    httpCode: 429,
    body: rpc(429, 'RESOURCE_EXHAUSTED', 'No more.', undefined, {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ subject: 'N1 CPUs' }],
    }),
    expected: ['RESOURCE_EXHAUSTED', 'quotaExceeded', { quota: 'N1 CPUs', project: 'my-project' }],
  },
  'too many requests': {
    httpCode: 429,
    body: rpc(429, 'RESOURCE_EXHAUSTED', 'Slow down.'),
    expected: ['RESOURCE_EXHAUSTED', 'rateLimited', {}],
  },
  'a field': {
    httpCode: 400,
    body: rpc(400, 'INVALID_ARGUMENT', 'Invalid.', undefined, {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: 'notebook_execution_job.execution_timeout' }],
    }),
    expected: ['INVALID_ARGUMENT', 'fieldInvalid', { field: 'notebook_execution_job.execution_timeout' }],
  },
  'an execution that does not exist': {
    httpCode: 404,
    body: rpc(404, 'NOT_FOUND', 'NotebookExecutionJob 1 is not found.'),
    expected: ['NOT_FOUND', 'executionNotFound', { executionId: '1' }],
  },
  'an execution that already exists': {
    httpCode: 409,
    body: rpc(409, 'ALREADY_EXISTS', 'It exists.'),
    expected: ['ALREADY_EXISTS', 'alreadyExists', { executionId: '1' }],
  },
  'a token that is refused': {
    httpCode: 401,
    body: rpc(401, 'UNAUTHENTICATED', 'Invalid authentication credentials.'),
    expected: ['UNAUTHENTICATED', 'credentialsExpired', { command: 'gcloud auth application-default login' }],
  },
  'a login that was revoked': {
    httpCode: 400,
    body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    expected: ['UNAUTHENTICATED', 'credentialsRevoked', { command: 'gcloud auth application-default login' }],
  },
  'a login that must be confirmed again': {
    httpCode: 400,
    body: {
      error: 'invalid_grant',
      error_description: 'reauth related error (invalid_rapt)',
      error_subtype: 'invalid_rapt',
    },
    expected: ['UNAUTHENTICATED', 'credentialsExpired', { command: 'gcloud auth application-default login' }],
  },
  'a key that was deleted': {
    httpCode: 400,
    body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' },
    context: { credentials: { kind: 'keyFile', path: '/keys/runner.json' } },
    expected: [
      'UNAUTHENTICATED',
      'credentialsInvalid',
      { path: '/keys/runner.json', problem: 'invalid_grant Invalid JWT Signature.' },
    ],
  },
  'a file that a variable names and whose login ended': {
    httpCode: 400,
    body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    context: { credentials: { kind: 'variable', path: '/keys/adc.json' } },
    expected: [
      'UNAUTHENTICATED',
      'credentialsInvalid',
      {
        path: '/keys/adc.json',
        variable: 'GOOGLE_APPLICATION_CREDENTIALS',
        problem: 'invalid_grant Token has been expired or revoked.',
      },
    ],
  },
  'a token of a key file that is refused': {
    httpCode: 401,
    body: rpc(401, 'UNAUTHENTICATED', 'Invalid authentication credentials.'),
    context: { credentials: { kind: 'keyFile', path: '/keys/runner.json' } },
    expected: [
      'UNAUTHENTICATED',
      'credentialsInvalid',
      { path: '/keys/runner.json', problem: 'Invalid authentication credentials.' },
    ],
  },
  'a token of the machine that is refused': {
    httpCode: 401,
    body: rpc(401, 'UNAUTHENTICATED', 'Invalid authentication credentials.'),
    context: { credentials: { kind: 'machine' } },
    expected: ['UNAUTHENTICATED', 'credentialsUnusable', { problem: 'Invalid authentication credentials.' }],
  },
  'an overloaded token endpoint': {
    httpCode: 429,
    body: { error: 'rate_limit_exceeded', error_description: 'Too many.' },
    expected: ['RESOURCE_EXHAUSTED', 'rateLimited', {}],
  },
  'an unavailable token endpoint': {
    httpCode: 503,
    body: { error: 'temporarily_unavailable' },
    expected: ['UNAVAILABLE', 'serviceUnavailable', { service: 'host.example' }],
  },
  'a quota project that is missing, by the message': {
    httpCode: 403,
    body: rpc(
      403,
      'PERMISSION_DENIED',
      'Your application is authenticating by using local Application Default Credentials. The storage.googleapis.com API requires a quota project, which is not set by default.',
    ),
    context: { ...CONTEXT, project: 'x; rm -rf ~' },
    expected: [
      'PERMISSION_DENIED',
      'quotaProjectMissing',
      { service: 'host.example', command: 'gcloud auth application-default set-quota-project PROJECT' },
    ],
  },
  'a create that names a missing resource': {
    httpCode: 404,
    body: rpc(404, 'NOT_FOUND', 'NotebookRuntimeTemplate projects/1/x does not exist.'),
    context: { ...CONTEXT, creates: true },
    expected: [
      'NOT_FOUND',
      'referenceNotFound',
      { problem: 'NotebookRuntimeTemplate projects/1/x does not exist.' },
    ],
  },
  'a clock that is wrong': {
    httpCode: 400,
    body: {
      error: 'invalid_grant',
      error_description: 'Invalid JWT: Token must be a short-lived token. Check your iat and exp values.',
    },
    expected: ['UNAUTHENTICATED', 'clockSkewed', {}],
  },
  'an internal error of the service': {
    httpCode: 503,
    body: 'upstream connect error',
    expected: ['UNAVAILABLE', 'serviceUnavailable', { service: 'host.example' }],
  },
  'an error in a language unknown': {
    httpCode: 418,
    body: rpc(418, 'TEAPOT', 'Short and stout.'),
    expected: ['INVALID_ARGUMENT', 'serviceError', {}],
  },
};

describe('Google’s errors in the user’s terms', () => {
  for (const [what, { body, httpCode, context = CONTEXT, expected }] of Object.entries(CASES)) {
    it(what, () => {
      const failure = { status: httpCode, body, host: 'host.example', message: 'm', cause: undefined };
      const error = translateFailure(failure, context, NOW);
      assert.deepEqual([error.status, error.reason, error.args], expected);
    });
  }

  it('contain the time to retry, from seconds and from a date', () => {
    const at = (retryAfter: string): string | undefined =>
      translateFailure({ status: 503, retryAfter, message: 'm', cause: undefined }, CONTEXT, NOW).args[
        'retryAfter'
      ];
    assert.equal(at('12'), '12');
    assert.equal(at('Thu, 01 Jan 2026 00:00:30 GMT'), '30');
    assert.equal(at('Wed, 31 Dec 2025 00:00:00 GMT'), '0');
    assert.equal(at('soon'), undefined);
  });

  it('distinguish an unreachable host from one that does not answer', () => {
    const of = (code: string): string =>
      translateFailure({ code, host: 'h', message: 'm', cause: undefined }, CONTEXT, NOW).reason;
    assert.deepEqual(
      ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'TimeoutError', 'UND_ERR_HEADERS_TIMEOUT'].map(of),
      ['hostUnreachable', 'hostUnreachable', 'timedOut', 'timedOut', 'timedOut'],
    );
  });
});
