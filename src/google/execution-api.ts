import type { Capabilities } from '../execution/execution-service';
import type { Execution, ExecutionRequest } from '../execution/execution';
import type { GoogleServiceKind } from '../execution/template';
import type { JsonObject } from '../notebook/json';
import type { GsUri } from './storage/gs-uri';

/** A request made ready to be sent. */
export interface PreparedRequest {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly fingerprint: string;
  /** File name of the notebook the person chose. */
  readonly sourceName: string | undefined;
  /** The notebook without outputs. */
  readonly notebook: Uint8Array;
  readonly parameters: JsonObject | undefined;
}

/** A file that has to be in Cloud Storage before the execution is created. */
export interface PlannedUpload {
  readonly uri: GsUri;
  readonly content: Uint8Array;
  readonly contentType: string;
}

export interface SubmissionPlan {
  readonly uploads: readonly PlannedUpload[];
  /** Asks the service to create the execution. Rejects with `alreadyExists` where the id is taken. */
  readonly insert: (signal?: AbortSignal) => Promise<void>;
}

/** An execution as its service answers it, and the fingerprint of the request that made it, if it is of ours. */
export interface FoundExecution {
  readonly execution: Execution;
  readonly fingerprint: string | undefined;
}

/** One of Google's two generations of executions, as far as they differ. */
export interface ExecutionApi {
  readonly kind: GoogleServiceKind;
  readonly capabilities: Capabilities;
  /** Resource name of an execution in terms of the configured project. */
  nameOf(executionId: string): string;
  /** Builds all requests; sends nothing. @throws ServiceError `fieldRequired`, `fieldInvalid` */
  plan(prepared: PreparedRequest): SubmissionPlan;
  find(name: string, signal?: AbortSignal): Promise<FoundExecution>;
  page(
    page: { pageSize?: number; pageToken?: string },
    signal?: AbortSignal,
  ): Promise<{ found: FoundExecution[]; nextPageToken: string | undefined }>;
  /** Asks for the end of the run. @throws ServiceError `cancelNotPossible` */
  cancel(execution: Execution, signal?: AbortSignal): Promise<void>;
  /** Deletes the resource and waits until it is gone. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
  /** What the service knows of a run that has ended beyond the execution itself, in further requests. */
  runDetails?(
    execution: Execution,
    signal?: AbortSignal,
  ): Promise<Partial<NonNullable<Execution['runStatus']>>>;
  /** The notebook of a request that carried it itself. */
  inlineInput?(execution: Execution, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}
