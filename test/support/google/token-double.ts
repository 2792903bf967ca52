import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { listen, readBody } from './http';

/** Google's token endpoint for service accounts, users, workload identity and the metadata server, over HTTP. */
export class TokenDouble {
  /** If set, every request fails with this error. */
  failure: { error: string; error_description?: string; error_subtype?: string } | undefined;
  /** HTTP status of {@link failure}. RFC 6749 5.2 has 400 and 401; with 429 and 5xx the endpoint is unavailable. */
  failureStatus = 400;
  /** If set, the IAM Credentials API refuses to impersonate with this error (google.rpc.Status). */
  impersonationError: { code: number; status: string; message: string } | undefined;
  /** How far the service's clock is ahead, in milliseconds. */
  skew = 0;
  issued = 0;
  /** Valid refresh tokens. */
  readonly refreshTokens = new Set(['refresh-1']);
  readonly problems: string[] = [];
  private readonly valid = new Set<string>();
  /** Tokens of a user's login, which need a quota project. */
  private readonly personal = new Set<string>();
  private readonly server: Server;
  private readonly keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  endpoint = '';

  constructor() {
    this.server = createServer((request, response) => {
      void this.answer(request).then(([status, body]) => {
        const headers = { 'content-type': 'application/json', 'metadata-flavor': 'Google' };
        response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  }

  async start(): Promise<void> {
    this.endpoint = await listen(this.server);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  isValid(authorization: string | undefined): boolean {
    return (
      authorization?.startsWith('Bearer ') === true && this.valid.has(authorization.slice('Bearer '.length))
    );
  }

  /**
   * Whether a token belongs to gcloud's login. Its requests count towards gcloud's own project unless they name
   * another, and are rejected there ("Troubleshoot your ADC setup", Google Cloud authentication documentation).
   */
  isPersonal(authorization: string | undefined): boolean {
    return this.personal.has(authorization?.slice('Bearer '.length) ?? '');
  }

  /** Invalidates all issued tokens. */
  revokeTokens(): void {
    this.valid.clear();
  }

  /** A service account's key file in Google's format. */
  serviceAccountKey(universe?: string): string {
    return JSON.stringify({
      ...(universe === undefined ? {} : { universe_domain: universe }),
      type: 'service_account',
      project_id: 'my-project',
      private_key_id: 'key-1',
      private_key: this.keys.privateKey,
      client_email: 'runner@my-project.iam.gserviceaccount.com',
      client_id: '1',
      token_uri: 'https://oauth2.googleapis.com/token',
    });
  }

  /** A user's application default credentials in gcloud's format. */
  personalCredentials(quotaProject: string | null = 'my-project', refreshToken = 'refresh-1'): string {
    return JSON.stringify({
      type: 'authorized_user',
      client_id: 'client.apps.googleusercontent.com',
      client_secret: 'client-secret',
      refresh_token: refreshToken,
      ...(quotaProject === null ? {} : { quota_project_id: quotaProject }),
    });
  }

  /** Workload identity federation with this server as token endpoint. */
  workloadIdentity(subjectTokenFile: string): string {
    return JSON.stringify({
      type: 'external_account',
      audience:
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${this.endpoint}token`,
      credential_source: { file: subjectTokenFile },
    });
  }

  /** A login that impersonates a service account (gcloud's `--impersonate-service-account`). */
  impersonation(): string {
    return JSON.stringify({
      type: 'impersonated_service_account',
      service_account_impersonation_url:
        'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/runner@my-project.iam.gserviceaccount.com:generateAccessToken',
      source_credentials: JSON.parse(this.personalCredentials()) as unknown,
    });
  }

  /** A fetch that redirects requests for Google's token endpoints to this server. */
  readonly fetch: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const path = { 'oauth2.googleapis.com': 'token', 'iamcredentials.googleapis.com': 'impersonate' }[
      url.host
    ];
    return this.send(path === undefined ? url : `${this.endpoint}${path}`, init);
  };
  /** The original fetch: tests replace it with {@link fetch}. */
  private readonly send = globalThis.fetch;

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    if (request.url?.startsWith('/computeMetadata/v1/') === true) return this.metadata(request);
    if (request.url === '/impersonate') {
      await readBody(request);
      if (!this.isValid(request.headers.authorization)) return [401, {}];
      const { impersonationError } = this;
      if (impersonationError !== undefined) return [impersonationError.code, { error: impersonationError }];
      const expireTime = new Date(Date.now() + 3_600_000).toISOString();
      return [200, { accessToken: this.issue().access_token, expireTime }];
    }
    const form = new URLSearchParams((await readBody(request)).toString());
    if (this.failure !== undefined) return [this.failureStatus, this.failure];
    const grant = form.get('grant_type');
    const problem =
      grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
        ? this.checkAssertion(form.get('assertion') ?? '')
        : grant === 'refresh_token'
          ? check(
              this.refreshTokens.has(form.get('refresh_token') ?? ''),
              'Token has been expired or revoked.',
            )
          : check(form.has('subject_token'), 'No subject token');
    if (problem !== undefined) return [400, { error: 'invalid_grant', error_description: problem }];
    const answer = this.issue();
    if (grant === 'refresh_token') this.personal.add(answer.access_token);
    return [200, answer];
  }

  /** The response of the metadata server of a machine on Google Cloud. */
  private metadata({ url, headers }: IncomingMessage): [number, unknown] {
    if (headers['metadata-flavor'] !== 'Google') return [403, 'Missing Metadata-Flavor:Google header.'];
    const path = new URL(url ?? '/', this.endpoint).pathname.replace('/computeMetadata/v1/', '');
    if (path === 'instance') return [200, 'attributes/'];
    if (path === 'universe/universe-domain') return [200, 'googleapis.com'];
    if (path === 'instance/service-accounts/default/token') return [200, this.issue()];
    return [404, 'Not Found'];
  }

  private issue(): Record<string, unknown> & { access_token: string } {
    this.issued += 1;
    const token = `token-${String(this.issued)}`;
    this.valid.add(token);
    return {
      access_token: token,
      expires_in: 3600,
      token_type: 'Bearer',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
  }

  /** Checks signature, audience, scope and times (RFC 7523). Returns the error. */
  private checkAssertion(assertion: string): string | undefined {
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const verify = createVerify('RSA-SHA256').update(`${header}.${payload}`);
    if (!verify.verify(this.keys.publicKey, signature, 'base64url')) return 'Invalid JWT Signature.';
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    if (claims['aud'] !== 'https://oauth2.googleapis.com/token') return 'Invalid audience.';
    if (claims['scope'] !== 'https://www.googleapis.com/auth/cloud-platform') return 'Invalid scope.';
    const now = (Date.now() + this.skew) / 1000;
    if (Number(claims['exp']) < now || Number(claims['iat']) > now + 300)
      return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
    return undefined;
  }
}

function check(good: boolean, problem: string): string | undefined {
  return good ? undefined : problem;
}
