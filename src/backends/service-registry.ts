import * as path from 'node:path';
import { EmbeddedExecutionService, unsupportedFields, type ServiceConfig } from '../embedded';
import type { ExecutionRequest } from '../execution/execution';
import type { ExecutionService } from '../execution/execution-service';
import { serviceIdOf } from '../execution/templates/service-id';
import type { UserTemplate } from '../execution/templates/template';
import type { TemplateServices } from '../execution/templates/template-services';
import type { Google, GoogleDirectory, GoogleOptions } from '../google';
import { RecordFolder } from '../tracking/record-folder';
import { LOCAL_RATES, REMOTE_RATES } from '../tracking/poll-rates';
import type { TrackingService } from '../tracking/tracking-service';

/** Options for the services of a window. */
export interface RegistryOptions {
  readonly tracking: TrackingService;
  readonly dataDirectory: string;
  /** The extension's `dist` folder. */
  readonly bundles: string;
  readonly version: string;
  readonly nodePath: string | undefined;
  readonly config: ServiceConfig;
  /** A folder shared by all windows of this machine (the extension's global storage). */
  readonly storageFolder: string;
  readonly google: () => Omit<GoogleOptions, 'unseen'>;
  readonly log: (message: string) => void;
}

/** The execution services of a window, each created when it is first needed. */
export class ServiceRegistry implements TemplateServices {
  readonly embedded: EmbeddedExecutionService;
  private google: Promise<Google> | undefined;
  /** Ids of the Google services that are tracked. */
  private readonly tracked = new Set<string>();

  constructor(private readonly options: RegistryOptions) {
    const { tracking: _tracking, google: _google, storageFolder: _folder, ...embedded } = options;
    this.embedded = new EmbeddedExecutionService(embedded);
  }

  async forTemplate(template: UserTemplate): Promise<ExecutionService> {
    const { tracking } = this.options;
    const { service: kind, project = '', location = '' } = template;
    if (kind === 'embedded') {
      tracking.addService(this.embedded, LOCAL_RATES);
      return this.embedded;
    }
    const service = (await this.loadGoogle()).service(kind, project, location);
    tracking.addService(service, REMOTE_RATES);
    this.tracked.add(service.id);
    return service;
  }

  /**
   * Tracks the Google services that templates name: all of them while the executions are visible, else those with an
   * execution whose end is still to be reported. Stops tracking a service that no template names any more, once none of
   * its executions is active or awaited.
   * @param templates called only when needed.
   * @param visible whether the executions are visible.
   */
  async trackGoogle(templates: () => Promise<readonly UserTemplate[]>, visible: boolean): Promise<void> {
    const { completion, store } = this.options.tracking;
    const awaited = completion.awaitedServices();
    if (!visible && this.tracked.size === 0 && [...awaited].every((id) => id === this.embedded.id)) return;
    const named = new Map(
      (await templates())
        .filter(({ service }) => service !== 'embedded')
        .map((template) => [serviceIdOf(template), template]),
    );
    for (const id of this.tracked) {
      const needed = awaited.has(id) || store.activeOnes(id).length > 0;
      if (!named.has(id) && !needed) this.untrack(id);
    }
    for (const [id, template] of named) if (visible || awaited.has(id)) await this.forTemplate(template);
  }

  /**
   * Call when settings of Google's services have changed. The next use creates the services with the new settings; call
   * {@link trackGoogle} afterwards to track them again.
   */
  forgetGoogle(): void {
    this.google = undefined;
    for (const id of this.tracked) this.untrack(id);
  }

  private untrack(id: string): void {
    this.options.tracking.removeService(id);
    this.tracked.delete(id);
  }

  async directory(): Promise<GoogleDirectory> {
    return (await this.loadGoogle()).directory();
  }

  private loadGoogle(): Promise<Google> {
    this.google ??= this.newGoogle();
    return this.google;
  }

  private async newGoogle(): Promise<Google> {
    // Loaded when first needed: many users never use Google Cloud.
    const { createGoogle, parseUnseenRecord } = await import('../google');
    const folder = path.join(this.options.storageFolder, 'unseen');
    return createGoogle({
      ...this.options.google(),
      unseen: new RecordFolder(folder, parseUnseenRecord),
    });
  }

  ignoredFields({ service, executionTemplate }: UserTemplate): readonly string[] {
    return service === 'embedded' ? unsupportedFields(executionTemplate) : [];
  }

  async unsupported(template: UserTemplate, request: ExecutionRequest): Promise<readonly string[]> {
    const { service, project = '', location = '' } = template;
    if (service === 'embedded') return [];
    const google = (await this.loadGoogle()).service(service, project, location);
    return google.unsupportedFields(request);
  }

  async missing(
    cells: readonly string[],
    file: string,
    files: readonly string[],
  ): Promise<readonly string[]> {
    const { missingReferences } = await import('../google');
    return missingReferences(cells, file, files);
  }

  dispose(): void {
    this.embedded.dispose();
  }
}
