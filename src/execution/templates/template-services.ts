import type { CloudDirectory } from '../cloud-directory';
import type { ExecutionRequest } from '../execution';
import type { ExecutionService } from '../execution-service';
import type { UserTemplate } from './template';

/** The services that templates name, and what is known of them before anything is sent. Errors are ServiceErrors. */
export interface TemplateServices {
  /** The service of a template. It is tracked from now on. */
  forTemplate(template: UserTemplate): Promise<ExecutionService>;
  /** Fields of a template that this machine's service ignores; empty for a cloud service, see {@link unsupported}. */
  ignoredFields(template: UserTemplate): readonly string[];
  /** Fields of a request that a cloud service would ignore; empty for this machine's service. */
  unsupported(template: UserTemplate, request: ExecutionRequest): Promise<readonly string[]>;
  /**
   * Names of the workspace's files and modules that a notebook uses and that would be missing in the cloud.
   * @param cells the sources of its code cells.
   * @param file path of the notebook, and `files` those of the workspace, relative to the workspace folder.
   */
  missing(cells: readonly string[], file: string, files: readonly string[]): Promise<readonly string[]>;
  /** Lists Google Cloud resources to choose from for a new template. */
  directory(): Promise<CloudDirectory>;
}
