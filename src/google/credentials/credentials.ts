import { AuthClient, Compute, GoogleAuth } from 'google-auth-library';
import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { remedyArgs, unusableCredentials, type CredentialsOrigin } from './credentials-errors';
import { translateTokenFailure } from '../requests/error-translation';
import { failureOf } from '../requests/failure';

export interface CredentialsOptions {
  /** Path of a key file (service account, workload identity federation …); default: application default credentials. */
  readonly keyFile?: string | undefined;
  /** Project for quota and billing, if the credentials name no other (`x-goog-user-project`). */
  readonly quotaProject?: string | undefined;
  /**
   * Sends all requests, including those for tokens; the global fetch when absent, to which VS Code applies its proxy
   * settings.
   */
  readonly fetch?: typeof fetch | undefined;
}

/** Scope of all requests: the whole of Google Cloud. The user's IAM roles restrict it. */
const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/** Credential files that google-auth-library can read; it would misread any other file as a key in another format. */
const CredentialsFileSchema = z.object({
  type: z.enum([
    'service_account',
    'authorized_user',
    'external_account',
    'external_account_authorized_user',
    'impersonated_service_account',
    'gdch_service_account',
  ]),
});

/** Universe domain of Google's public cloud; credentials of another universe cannot be used. */
const UNIVERSE = 'googleapis.com';
/** Milliseconds until a token endpoint must have answered. */
const TOKEN_TIMEOUT = 30_000;

/** The user's Google credentials. Read when first needed, and again after they were rejected. */
export class Credentials {
  private current: Promise<GoogleAuth> | undefined;
  private source: CredentialsOrigin;

  constructor(private readonly options: CredentialsOptions = {}) {
    this.source = originOf(options.keyFile);
  }

  /** Where the credentials come from, as far as it is known; it is certain only after they were read. */
  get origin(): CredentialsOrigin {
    return this.source;
  }

  /**
   * Credentials with a valid token.
   * @throws ServiceError `credentialsMissing`, `credentialsInvalid`, `credentialsUnusable` …; UNAVAILABLE during an
   * outage
   */
  async auth(): Promise<GoogleAuth> {
    this.current ??= this.read();
    const reading = this.current;
    try {
      const auth = await reading;
      await auth.getAccessToken();
      return auth;
    } catch (error) {
      if (this.current === reading) this.current = undefined;
      throw error instanceof ServiceError
        ? error
        : translateTokenFailure(failureOf(error), this.source, Date.now());
    }
  }

  /** The next request reads the credentials again. */
  forget(): void {
    this.current = undefined;
  }

  private async read(): Promise<GoogleAuth> {
    const { keyFile, quotaProject, fetch: send } = this.options;
    const origin = originOf(keyFile);
    this.source = origin;
    const auth = new GoogleAuth({
      scopes: SCOPES,
      // Never used, but without it the library searches for a project with gcloud and on the network, for up to ten
      // seconds.
      projectId: 'unused',
      ...(keyFile === undefined ? {} : { keyFile }),
    });
    if ('path' in origin) await checkFile(origin);
    let client: AuthClient;
    try {
      client = await auth.getClient();
    } catch (error) {
      throw unreadable(error, origin);
    }
    if (client instanceof Compute) this.source = { kind: 'machine' };
    leadThrough(client, send ?? ((input, init) => globalThis.fetch(input, init)));
    const universe = await auth.getUniverseDomain();
    if (universe !== UNIVERSE)
      throw unusableCredentials(this.source, `They are for ${universe}, not for ${UNIVERSE}.`);

    if (quotaProject !== undefined) client.quotaProjectId ??= quotaProject;
    return auth;
  }
}

/**
 * Makes the client send all requests, including those for tokens, through `send` with its proxy and certificates, and
 * turns off the library's own retries: RequestSender retries. Also applies to the source credentials inside
 * impersonated ones, which cannot be configured in another way.
 */
function leadThrough(client: AuthClient, send: typeof fetch): void {
  const { defaults, interceptors } = client.transporter;
  defaults.fetchImplementation = send;
  defaults.timeout ??= TOKEN_TIMEOUT;
  interceptors.request.add({
    resolved: (config) => {
      config.retry = false;
      delete config.retryConfig;
      return Promise.resolve(config);
    },
  });
  const source: unknown = Reflect.get(client, 'sourceClient');
  if (source instanceof AuthClient) leadThrough(source, send);
}

function originOf(keyFile: string | undefined): CredentialsOrigin {
  if (keyFile !== undefined) return { kind: 'keyFile', path: keyFile };
  const variable = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  return variable === undefined || variable === '' ? { kind: 'login' } : { kind: 'variable', path: variable };
}

/** Rejects a file that does not contain credentials. Error messages do not quote its content: it may be a key. */
async function checkFile(origin: CredentialsOrigin & { readonly path: string }): Promise<void> {
  const { path } = origin;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusableCredentials(origin, String(error));
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw unusableCredentials(origin, `${path} is no JSON`);
  }
  if (!CredentialsFileSchema.safeParse(content).success)
    throw unusableCredentials(origin, `${path} is of no known type of credentials`);
}

function unreadable(error: unknown, origin: CredentialsOrigin): ServiceError {
  const { message, cause } = failureOf(error);
  return origin.kind === 'login'
    ? new ServiceError('UNAUTHENTICATED', 'credentialsMissing', message, remedyArgs(origin), { cause })
    : unusableCredentials(origin, message, { cause });
}
