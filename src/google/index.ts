import { SECRET_PARAMETERS } from '../execution/secrets/secret-names';
import type { GoogleServiceKind } from '../execution/templates/template';
import { CloudStorageClient } from './storage/cloud-storage-client';
import { Credentials } from './credentials/credentials';
import { endpointOf, type GoogleEndpoints } from './requests/endpoints';
import { ExecutionFiles } from './execution-files';
import { GoogleDirectory } from './google-directory';
import { GoogleExecutionService } from './google-execution-service';
import { LogReader } from './logging/log-reader';
import { NotebooksApi } from './notebooks/notebooks-api';
import { RequestSender, systemRequestClock, type RequestClock } from './requests/request-sender';
import type { UnseenRecords } from './unseen-executions';
import { VertexApi } from './vertex/vertex-api';

/*
 * Executions on Google Cloud. Loaded when a Google template is first used.
 *
 * For the editor:
 *   createGoogle(options)                 one for each set of options; holds the credentials
 *     .service(kind, project, location)   an ExecutionService with unsupportedFields, consoleUrl, outputUri
 *     .directory()                        projects, locations, buckets, runtime templates to choose from
 *   missingReferences(…)                  modules and files of the workspace that a notebook uses
 *
 * Errors are ServiceErrors; requests/error-translation.ts lists their reasons and args. After those of
 * UNAUTHENTICATED nothing has to be restarted: the next request reads the credentials again.
 */

export type { GoogleDirectory } from './google-directory';
export { missingReferences } from './submission/missing-references';
export { parseUnseenRecord } from './unseen-executions';

export interface GoogleOptions {
  /** Path of a key file (setting, machine scope); application default credentials when absent. */
  readonly keyFile?: string | undefined;
  /** Project for quota and billing (`x-goog-user-project`), if the credentials name no other. */
  readonly quotaProject?: string | undefined;
  readonly endpoints?: GoogleEndpoints | undefined;
  /** Sends all requests; the global fetch when absent. */
  readonly fetch?: typeof fetch | undefined;
  readonly clock?: RequestClock | undefined;
  /** Executions that were created and that the services do not show. */
  readonly unseen: UnseenRecords;
  /** Name patterns of parameters whose values are not shown; the default patterns when absent. */
  readonly secretParameters?: (() => readonly string[]) | undefined;
  /** Milliseconds until an answer must have arrived; 30,000 when absent. */
  readonly timeout?: number | undefined;
}

/** Google Cloud with one user's credentials. */
export interface Google {
  /**
   * The executions of a project and location. Equal arguments return the same service.
   * @throws ServiceError `fieldInvalid` if location or endpoint are invalid
   */
  service(kind: GoogleServiceKind, project: string, location: string): GoogleExecutionService;
  directory(): GoogleDirectory;
}

export function createGoogle(options: GoogleOptions): Google {
  const { endpoints = {}, clock = systemRequestClock, unseen } = options;
  const { secretParameters = () => SECRET_PARAMETERS } = options;
  const credentials = new Credentials(options);
  const sender = new RequestSender(credentials, clock, options.timeout);
  const storage = new CloudStorageClient(sender, endpointOf('storage', endpoints));
  const files = new ExecutionFiles(storage);
  const services = new Map<string, GoogleExecutionService>();
  const jobsEndpoint = (location: string): string => endpointOf('aiplatform', endpoints, location);

  const create = (kind: GoogleServiceKind, project: string, location: string): GoogleExecutionService => {
    const api =
      kind === 'vertex'
        ? new VertexApi(sender, project, location, jobsEndpoint(location))
        : new NotebooksApi(
            sender,
            project,
            location,
            endpointOf('notebooks', endpoints, location),
            jobsEndpoint,
          );
    const logs = new LogReader(sender, endpointOf('logging', endpoints), project);
    return new GoogleExecutionService({
      project,
      location,
      api,
      storage,
      files,
      logs,
      clock,
      unseen,
      secretParameters,
    });
  };
  return {
    service(kind, project, location) {
      const key = `${kind}/${project}/${location}`;
      const service = services.get(key) ?? create(kind, project, location);
      services.set(key, service);
      return service;
    },
    directory: () => new GoogleDirectory(sender, storage, endpoints),
  };
}
