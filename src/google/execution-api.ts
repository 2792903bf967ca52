import type { Capabilities } from '../execution/execution-service';
import type { Execution, ExecutionRequest } from '../execution/execution';
import type { GoogleServiceKind } from '../execution/templates/template';
import type { JsonObject } from '../notebook/json';
import type { RequestContext } from './requests/error-translation';
import type { Operation } from './requests/operations';
import type { GsUri } from './storage/gs-uri';
import type { OtherSource } from './submission/other-source';

/** A request that is ready to be sent. */
export interface PreparedRequest {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly fingerprint: string;
  /** File name of the notebook that is executed. */
  readonly sourceName: string | undefined;
  /** The notebook without outputs; undefined if the service reads `other` instead. */
  readonly notebook?: Uint8Array | undefined;
  /** A notebook in place of the submitted one, with the object's generation. */
  readonly other?: OtherSource | undefined;
  readonly parameters: JsonObject | undefined;
}

/** A file that must be in Cloud Storage before the execution is created. */
export interface PlannedUpload {
  readonly uri: GsUri;
  readonly content: Uint8Array;
  readonly contentType: string;
}

export interface SubmissionPlan {
  readonly uploads: readonly PlannedUpload[];
  /** Asks the service to create the execution. Rejects with `alreadyExists` if the id is taken. */
  readonly insert: (signal?: AbortSignal) => Promise<Operation>;
  /** Context for errors of the creation. */
  readonly context: RequestContext;
}

/** An execution from the service, and the fingerprint of its request if this extension created it. */
export interface FoundExecution {
  readonly execution: Execution;
  readonly fingerprint: string | undefined;
}

/** The differences between Google's two generations of executions. */
export interface ExecutionApi {
  readonly kind: GoogleServiceKind;
  readonly capabilities: Capabilities;
  /** Resource name of an execution with the configured project. */
  nameOf(executionId: string): string;
  /** Builds all requests without sending any. @throws ServiceError `fieldRequired`, `fieldInvalid` */
  plan(prepared: PreparedRequest): SubmissionPlan;
  find(name: string, signal?: AbortSignal): Promise<FoundExecution>;
  /** A long-running operation by its name. */
  operation(name: string, signal?: AbortSignal): Promise<Operation>;
  page(
    page: { pageSize?: number; pageToken?: string },
    signal?: AbortSignal,
  ): Promise<{ found: FoundExecution[]; nextPageToken: string | undefined }>;
  /** Requests the end of the run. @throws ServiceError `cancelNotPossible` */
  cancel(execution: Execution, signal?: AbortSignal): Promise<void>;
  /** Deletes the resource and waits until it is gone. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
  /** Details of a finished run that the execution itself does not contain; needs further requests. */
  runDetails?(
    execution: Execution,
    signal?: AbortSignal,
  ): Promise<Partial<NonNullable<Execution['runStatus']>>>;
  /**
   * Filter for the execution's entries in Cloud Logging; undefined while it has no job.
   * @throws ServiceError `logNotAvailable` if its log is not known to be there
   */
  logFilter(execution: Execution): string | undefined;
  /** The notebook, if the create request contained it. */
  inlineInput?(execution: Execution, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
