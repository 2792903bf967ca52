import { GoogleAuth } from 'google-auth-library';
import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
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

/** Credential files that google-auth-library reads; anything else it takes for a key in another format. */
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
    const file = keyFile ?? process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    const auth = new GoogleAuth({
      scopes: SCOPES,
      // Never asked for. Without one the library looks for it with gcloud and on the network, for up to ten seconds.
      projectId: 'unused',
      ...(keyFile === undefined ? {} : { keyFile }),
      clientOptions: {
        transporterOptions: { fetchImplementation: send ?? ((input, init) => globalThis.fetch(input, init)) },
      },
    });
    try {
      if (file !== undefined && file !== '') {
        CredentialsFileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
      }
      const client = await auth.getClient();
      if (quotaProject !== undefined) client.quotaProjectId ??= quotaProject;
    } catch (error) {
      throw unreadable(error, file);
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
