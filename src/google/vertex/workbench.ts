import type { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import type { ExecutionRequest, ExecutionTemplate, VertexOptions } from '../../execution/execution';

/*
 * The image of a Workbench runtime. A job is sent with `workbenchRuntime`, but the service does not return that field,
 * so the image is remembered in a label of the job.
 */

type WorkbenchRuntime = aiplatform_v1.Schema$GoogleCloudAiplatformV1NotebookExecutionJobWorkbenchRuntime;

/** Label that Google's JupyterLab plugin (scheduler-jupyter-plugin) sends with `workbenchRuntime`, and its value. */
export const ENTRY_LABEL = 'aiplatform.googleapis.com/colab_enterprise_entry_service';
export const WORKBENCH = 'workbench';

/** The image in a request; at most one of them. */
interface Image {
  readonly containerImageUri?: ExecutionTemplate['containerImageUri'];
  readonly vmImage?: VertexOptions['vmImage'];
}

/** The runtime for a request; undefined for a Colab runtime. */
export function workbenchRuntimeOf(request: ExecutionRequest): WorkbenchRuntime | undefined {
  const { containerImageUri, kernelSpec } = request.executionTemplate ?? {};
  const { vmImage, runtimeTemplate, executionUser } = request.runOptions?.vertex ?? {};
  if (containerImageUri !== undefined) return { customContainerImage: containerImageOf(containerImageUri) };
  if (vmImage !== undefined) return { vmImage };
  // With a kernel's name alone, a Colab runtime probably starts: Google's plugin sends an empty runtime, too. Only
  // Colab runtimes can run as a user or from a runtime template.
  const workbench = kernelSpec !== undefined && runtimeTemplate === undefined && executionUser === undefined;
  return workbench ? {} : undefined;
}

/** `registry/name:tag`; a colon before a slash belongs to a port. */
function containerImageOf(uri: string): { repository: string; tag?: string } {
  const match = /^(.+):([^/:]+)$/.exec(uri);
  return match?.[1] === undefined || match[2] === undefined
    ? { repository: uri }
    : { repository: match[1], tag: match[2] };
}

/** The image of a request as one text, for a label; undefined for the default image. */
export function imageText({ executionTemplate, runOptions }: ExecutionRequest): string | undefined {
  const vmImage = runOptions?.vertex?.vmImage;
  if (vmImage === undefined) return executionTemplate?.containerImageUri;
  const { project = '', name, family = '' } = vmImage;
  return name === undefined ? `vm ${project} family ${family}` : `vm ${project} name ${name}`;
}

/** The image in a text of {@link imageText}. */
export function imageOfText(text: string | undefined): Image {
  if (text === undefined || text === '') return {};
  const [, project, kind, value] = /^vm (\S+) (name|family) (\S+)$/.exec(text) ?? [];
  if (project === undefined || kind === undefined || value === undefined) return { containerImageUri: text };
  return { vmImage: { project, [kind]: value } };
}
