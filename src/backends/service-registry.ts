import { EmbeddedExecutionService, unsupportedFields, type ServiceConfig } from '../embedded';
import type { ExecutionRequest } from '../execution/execution';
import type { ExecutionService } from '../execution/execution-service';
import type { UserTemplate } from '../execution/template';
import type { Google, GoogleOptions } from '../google';
import { LOCAL_RATES, REMOTE_RATES } from '../tracking/poller';
import type { TrackingService } from '../tracking/tracking-service';

/** What the services of a window are made of. */
export interface ServicesOptions {
  readonly tracking: TrackingService;
  readonly dataDirectory: string;
  /** The extension's `dist` folder. */
  readonly bundles: string;
  readonly version: string;
  readonly nodePath: string | undefined;
  readonly config: ServiceConfig;
  readonly google: () => GoogleOptions;
  readonly log: (message: string) => void;
}

/** The execution services of a window, each made when it is first needed. */
export class ServiceRegistry {
  readonly embedded: EmbeddedExecutionService;
  private google: Promise<Google> | undefined;

  constructor(private readonly options: ServicesOptions) {
    const { tracking: _tracking, google: _google, ...embedded } = options;
    this.embedded = new EmbeddedExecutionService(embedded);
  }

  /** The service that a template names. It is tracked from now on. */
  async forTemplate(template: UserTemplate): Promise<ExecutionService> {
    const { tracking } = this.options;
    const { service: kind, project = '', location = '' } = template;
    if (kind === 'embedded') {
      tracking.addService(this.embedded, LOCAL_RATES);
      return this.embedded;
    }
    const service = (await this.loadGoogle()).service(kind, project, location);
    tracking.addService(service, REMOTE_RATES);
    return service;
  }

  /**
   * Tracks the Google services that templates name: all of them while somebody looks at the executions, else those with an
   * execution whose end somebody waits for.
   */
  async trackGoogle(templates: readonly UserTemplate[], looking: boolean): Promise<void> {
    const { completion } = this.options.tracking;
    const wanted = templates.filter(
      ({ service, project, location }) =>
        service !== 'embedded' &&
        (looking || completion.awaitedNames(`${service}/${project ?? ''}/${location ?? ''}`).length > 0),
    );
    for (const template of wanted) {
      await this.forTemplate(template);
    }
  }

  /** Other settings of Google's services hold from the next request on. */
  forgetGoogle(): void {
    this.google = undefined;
  }

  private loadGoogle(): Promise<Google> {
    // Loaded when it is first needed: who runs notebooks on this machine never does.
    this.google ??= import('../google').then(({ createGoogle }) => createGoogle(this.options.google()));
    return this.google;
  }

  /** Fields of a template that the service of this machine cannot honour. Google's are known once asked for. */
  ignoredFields({ service, executionTemplate }: UserTemplate): readonly string[] {
    return service === 'embedded' ? unsupportedFields(executionTemplate) : [];
  }

  /** Fields of a request that a Google service will not carry out. */
  async unsupported(template: UserTemplate, request: ExecutionRequest): Promise<readonly string[]> {
    const { service, project = '', location = '' } = template;
    if (service === 'embedded') {
      return [];
    }
    const google = (await this.loadGoogle()).service(service, project, location);
    return google.unsupportedFields(request).map(({ field }) => field);
  }

  /** Modules and files of the workspace that a notebook uses and that are not there on Google Cloud, by name. */
  async missing(notebook: Uint8Array, file: string, files: readonly string[]): Promise<readonly string[]> {
    const { missingReferences } = await import('../google');
    return missingReferences(notebook, file, files).map(({ name }) => name);
  }

  dispose(): void {
    this.embedded.dispose();
  }
}
