import type { Capabilities } from '../execution/execution-service';
import type { Execution, ExecutionRequest } from '../execution/execution';
import type { GoogleServiceKind } from '../execution/templates/template';
import type { JsonObject } from '../notebook/json';
import type { GsUri } from './storage/gs-uri';

/** A request that is ready to be sent. */
export interface PreparedRequest {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly fingerprint: string;
  /** File name of the notebook that the user chose. */
  readonly sourceName: string | undefined;
  /** The notebook without outputs. */
  readonly notebook: Uint8Array;
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
  readonly insert: (signal?: AbortSignal) => Promise<void>;
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
  /** The notebook, if the create request contained it. */
  inlineInput?(execution: Execution, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
