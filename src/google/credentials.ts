import { GoogleAuth } from 'google-auth-library';
import { ServiceError } from '../execution/errors';
import { defined, LOGIN_COMMAND } from './error-translation';

export interface CredentialsOptions {
  /** Path of a key file (service account, workload identity federation …); application default credentials when absent. */
  readonly keyFile?: string | undefined;
  /** Project whose quota is used and billed, where the credentials name no other (`x-goog-user-project`). */
  readonly quotaProject?: string | undefined;
  /** Sends the requests, those for tokens too; the global fetch, which VS Code leads through its proxy settings. */
  readonly fetch?: typeof fetch | undefined;
}

/** Whatever Google's requests need; the whole of Google Cloud, restricted by the roles of whoever is signed in. */
const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/** The person's Google credentials. They are read when first needed and again after they were refused. */
export class Credentials {
  private current: Promise<GoogleAuth> | undefined;

  constructor(private readonly options: CredentialsOptions = {}) {}

  get keyFile(): string | undefined {
    return this.options.keyFile;
  }

  /** @throws ServiceError `credentialsMissing`, `credentialsInvalid` */
  async auth(): Promise<GoogleAuth> {
    this.current ??= this.read();
    const reading = this.current;
    try {
      return await reading;
    } catch (error) {
      if (this.current === reading) this.current = undefined;
      throw error;
    }
  }

  /** Reads the credentials anew at the next request. */
  forget(): void {
    this.current = undefined;
  }

  private async read(): Promise<GoogleAuth> {
    const { keyFile, quotaProject, fetch: send } = this.options;
    const auth = new GoogleAuth({
      scopes: SCOPES,
      ...(keyFile === undefined ? {} : { keyFile }),
      clientOptions: {
        transporterOptions: { fetchImplementation: send ?? ((input, init) => globalThis.fetch(input, init)) },
        ...(quotaProject === undefined ? {} : { quotaProjectId: quotaProject }),
      },
    });
    try {
      await auth.getClient();
    } catch (error) {
      throw unreadable(error, keyFile ?? process.env['GOOGLE_APPLICATION_CREDENTIALS']);
    }
    return auth;
  }
}

function unreadable(error: unknown, path: string | undefined): ServiceError {
  const message = error instanceof Error ? error.message : String(error);
  return path === undefined || path === ''
    ? new ServiceError(
        'UNAUTHENTICATED',
        'credentialsMissing',
        message,
        { command: LOGIN_COMMAND },
        { cause: error },
      )
    : new ServiceError('UNAUTHENTICATED', 'credentialsInvalid', message, defined({ path }), { cause: error });
}
