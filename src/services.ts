import { EmbeddedExecutionService, unsupportedFields, type ServiceConfig } from './embedded';
import type { ExecutionService } from './execution/execution-service';
import type { UserTemplate } from './execution/template';
import type { Google, GoogleOptions } from './google';
import { LOCAL_RATES, REMOTE_RATES } from './tracking/poller';
import type { TrackingService } from './tracking/tracking-service';

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
    // A bundle of its own: who runs notebooks on this machine never loads it.
    this.google ??= import('./google/index').then(({ createGoogle }) => createGoogle(this.options.google()));
    const service = (await this.google).service(kind, project, location);
    tracking.addService(service, REMOTE_RATES);
    return service;
  }

  /** Fields of a template that the service of this machine cannot honour. Google's say so themselves. */
  ignoredFields({ service, executionTemplate }: UserTemplate): readonly string[] {
    return service === 'embedded' ? unsupportedFields(executionTemplate) : [];
  }

  dispose(): void {
    this.embedded.dispose();
  }
}
