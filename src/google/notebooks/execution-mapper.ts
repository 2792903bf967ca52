import type { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import * as z from 'zod/mini';
import { ExecutionTemplateSchema, type Execution, type ExecutionRequest } from '../../execution/execution';
import { executionIdOf } from '../../execution/execution-name';
import { ownFolder, withoutOwnFolder } from '../execution-files';
import { formatGsUri } from '../storage/gs-uri';
import { readLabels, withOurLabels } from '../labels';
import { runStatusOf } from '../run-status';

const text = z.optional(z.string());

/** An Execution in an answer of the Notebooks API v1 (discovery revision 20260812). */
export const V1ExecutionSchema = z.object({
  name: z.string(),
  displayName: text,
  description: text,
  createTime: text,
  updateTime: text,
  state: text,
  outputNotebookFile: text,
  jobUri: text,
  executionTemplate: z.optional(ExecutionTemplateSchema),
});
export type V1Execution = z.infer<typeof V1ExecutionSchema>;

/** Locations of an execution's files in Cloud Storage, as `gs://` URIs. */
export interface V1Files {
  readonly input: string;
  /** A YAML file that replaces the template's parameters. */
  readonly parameters: string | undefined;
}

/**
 * The execution to create for a request that passed `checkRequest`.
 * @throws ServiceError `fieldRequired`, `fieldInvalid` of the output folder
 */
export function toV1(
  executionId: string,
  request: ExecutionRequest,
  files: V1Files,
  marks: { fingerprint: string; sourceName: string | undefined },
): notebooks_v1.Schema$Execution {
  const { executionTemplate: template = {}, runOptions = {}, description } = request;
  const { parameters: _, paramsYamlFile: _file, masterType, ...rest } = template;
  return {
    ...(description === undefined ? {} : { description }),
    executionTemplate: {
      ...(rest as notebooks_v1.Schema$ExecutionTemplate),
      // The only tier that still exists, and the one that `masterType` belongs to.
      scaleTier: template.scaleTier ?? 'CUSTOM',
      ...(masterType === undefined ? {} : { masterType }),
      inputNotebookFile: files.input,
      outputNotebookFolder: formatGsUri(ownFolder(template.outputNotebookFolder, executionId)).replace(
        /\/$/,
        '',
      ),
      labels: withOurLabels(template.labels, {
        fingerprint: marks.fingerprint,
        templateName: runOptions.templateName,
        source: marks.sourceName,
      }),
      ...(files.parameters === undefined ? {} : { paramsYamlFile: files.parameters }),
    },
  };
}

/**
 * Converts an answer to an execution: with the configured project in its name, without this extension's labels and
 * folder.
 */
export function fromV1(parent: string, answered: V1Execution): Execution {
  const id = executionIdOf(answered.name);
  const { labels: _, outputNotebookFolder, ...template } = answered.executionTemplate ?? {};
  const labels = readLabels(answered.executionTemplate?.labels);
  const ours = labels.fingerprint !== undefined;
  const folder = ours ? withoutOwnFolder(outputNotebookFolder, id) : outputNotebookFolder;
  const state = answered.state ?? 'STATE_UNSPECIFIED';
  const { createTime, updateTime } = answered;
  return {
    ...answered,
    name: `${parent}/executions/${id}`,
    // The service sets `displayName` to the id.
    displayName: labels.source?.replace(/\.ipynb$/, '') ?? answered.displayName ?? id,
    state,
    executionTemplate: {
      ...template,
      ...(folder === undefined ? {} : { outputNotebookFolder: folder }),
      ...(labels.others === undefined ? {} : { labels: labels.others }),
    },
    runOptions: labels.templateName === undefined ? {} : { templateName: labels.templateName },
    runStatus: runStatusOf({ state, createTime, updateTime, elsewhere: !ours }),
  };
}
