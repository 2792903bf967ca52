import type * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import type { Execution } from '../execution/execution';
import { executionIdOf } from '../execution/execution-name';
import type { Capabilities } from '../execution/execution-service';
import type { GoogleServiceKind } from '../execution/templates/template';
import type {
  ExecutionApi,
  FoundExecution,
  PlannedUpload,
  PreparedRequest,
  SubmissionPlan,
} from './execution-api';
import { awaitOperation, OperationSchema, type Operation } from './requests/operations';
import type { AttemptOptions, RequestSender } from './requests/request-sender';

/** A method of googleapis; one attempt. */
type Call<P> = (params: P, options: AttemptOptions) => Promise<{ data: unknown }>;

/** The methods of a resource that both generations have, with the same names and meanings. */
export interface ResourceMethods<R> {
  readonly get: Call<{ name: string }>;
  readonly list: Call<{ parent: string; orderBy: string; pageSize?: number; pageToken?: string }>;
  readonly delete: Call<{ name: string }>;
  readonly getOperation: Call<{ name: string }>;
  /** Schema of the answer to `get`. */
  readonly schema: z.ZodMiniType<R>;
  /** Schema of the answer to `list`. */
  readonly pageSchema: z.ZodMiniType<{ resources: R[]; nextPageToken?: string | undefined }>;
}

/** The common part of both generations of executions: create, get, list and delete of a resource. */
export abstract class ResourceApi<R> implements ExecutionApi {
  abstract readonly kind: GoogleServiceKind;
  readonly capabilities: Capabilities = {
    cancel: true,
    log: true,
    lateLog: true,
    liveOutput: false,
    detailsOnGet: true,
  };
  protected readonly parent: string;
  protected abstract readonly methods: ResourceMethods<R>;

  /** @param collection last but one part of the resource's name: `executions` */
  constructor(
    protected readonly sender: RequestSender,
    private readonly project: string,
    private readonly location: string,
    private readonly collection: string,
  ) {
    this.parent = `projects/${project}/locations/${location}`;
  }

  nameOf(executionId: string): string {
    return `${this.parent}/${this.collection}/${executionId}`;
  }

  abstract plan(prepared: PreparedRequest): SubmissionPlan;
  abstract cancel(execution: Execution, signal?: AbortSignal): Promise<void>;
  abstract logFilter(execution: Execution): string | undefined;
  protected abstract found(resource: R): FoundExecution;

  async find(name: string, signal?: AbortSignal): Promise<FoundExecution> {
    return this.found(await this.fetch(name, this.methods.get, signal));
  }

  async page(
    { pageSize, pageToken }: { pageSize?: number; pageToken?: string },
    signal?: AbortSignal,
  ): Promise<{ found: FoundExecution[]; nextPageToken: string | undefined }> {
    const params = {
      parent: this.parent,
      orderBy: 'create_time desc',
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    const { resources, nextPageToken } = await this.sender.send(
      this.methods.pageSchema,
      (options) => this.methods.list(params, options),
      this.context,
      signal,
    );
    return {
      found: resources.map((resource) => this.found(resource)),
      nextPageToken: nextPageToken === '' ? undefined : nextPageToken,
    };
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const own = this.nameOf(executionIdOf(name));
    const context = { ...this.context, name: own };
    try {
      const operation = await this.sender.send(
        OperationSchema,
        (options) => this.methods.delete({ name: own }, options),
        context,
        signal,
      );
      const get = (operationName: string, options: AttemptOptions) =>
        this.methods.getOperation({ name: operationName }, options);
      await awaitOperation(this.sender, operation, get, context, signal);
    } catch (error) {
      // The caller has seen the resource: an earlier attempt, whose answer was lost, has deleted it.
      if (!(error instanceof ServiceError) || error.status !== 'NOT_FOUND') throw error;
    }
  }

  /** Requests the resource under its name with the configured project. */
  protected async fetch(
    name: string,
    get: Call<{ name: string }>,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    const own = this.nameOf(executionIdOf(name));
    return this.sender.send(
      this.methods.schema,
      (options) => get({ name: own }, options),
      { ...this.context, name: own },
      signal,
    );
  }

  async operation(name: string, signal?: AbortSignal): Promise<Operation> {
    return this.sender.send(
      OperationSchema,
      (options) => this.methods.getOperation({ name }, options),
      this.context,
      signal,
    );
  }

  /** The requests that create an execution. */
  protected planOf(
    { executionId, request }: PreparedRequest,
    uploads: readonly PlannedUpload[],
    create: (options: AttemptOptions) => Promise<{ data: unknown }>,
  ): SubmissionPlan {
    const { serviceAccount } = request.executionTemplate ?? {};
    const context = { ...this.context, name: this.nameOf(executionId), serviceAccount, creates: true };
    return {
      uploads,
      insert: (signal) => this.sender.send(OperationSchema, create, context, signal),
      context,
    };
  }

  /** Context for errors. */
  protected get context(): { project: string; location: string } {
    return { project: this.project, location: this.location };
  }
}
