import * as z from 'zod/mini';
import { TEMPLATE_SERVICES, UserTemplateSchema } from '../../src/execution/templates/template';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Blocks whose fields have texts without the block's name: `template.timeout`, not `template.runOptions.timeout`. */
const BLOCKS = ['executionTemplate', 'runOptions'];

/**
 * What only the settings editor needs, by the names of the texts. A service may know further values, so the code accepts
 * every text, and the editor underlines those that are not listed.
 */
const EDITOR: Readonly<Record<string, object>> = {
  'template.service': {
    enumDescriptions: TEMPLATE_SERVICES.map((service) => `%template.service.${service}%`),
  },
  'template.scaleTier': {
    enum: ['SCALE_TIER_UNSPECIFIED', 'BASIC', 'STANDARD_1', 'PREMIUM_1', 'BASIC_GPU', 'BASIC_TPU', 'CUSTOM'],
  },
  'template.acceleratorConfig.type': {
    enum: [
      'SCHEDULER_ACCELERATOR_TYPE_UNSPECIFIED',
      'NVIDIA_TESLA_K80',
      'NVIDIA_TESLA_P100',
      'NVIDIA_TESLA_V100',
      'NVIDIA_TESLA_P4',
      'NVIDIA_TESLA_T4',
      'NVIDIA_TESLA_A100',
      'TPU_V2',
      'TPU_V3',
    ],
  },
  'template.vertex.reservation.type': {
    enum: ['NO_RESERVATION', 'ANY_RESERVATION', 'SPECIFIC_RESERVATION'],
  },
  'template.jobType': { enum: ['JOB_TYPE_UNSPECIFIED', 'VERTEX_AI', 'DATAPROC'] },
};

const SNIPPETS = [
  {
    label: '%template.service.embedded%',
    body: {
      name: '${1:Long runs}',
      service: 'embedded',
      runOptions: { timeout: '^${2:3600}' },
    },
  },
  {
    label: '%template.service.vertex%',
    body: {
      name: '${1:Vertex AI}',
      service: 'vertex',
      project: '${2:my-project}',
      location: '${3:us-central1}',
      executionTemplate: {
        masterType: '${4:n1-standard-4}',
        serviceAccount: '${5:runner@my-project.iam.gserviceaccount.com}',
        outputNotebookFolder: 'gs://${6:my-bucket}/executions',
      },
    },
  },
];

/** JSON schema of an item of the setting `notebookExecutions.templates`, with references to texts of package.nls.json. */
export function templateItemSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(UserTemplateSchema, { io: 'input' });
  return { ...described(schema, 'template'), defaultSnippets: SNIPPETS };
}

/** The schema with a description for each property. @param text name of the text that describes the schema. */
function described(schema: JsonSchema, text: string): JsonSchema {
  // VS Code needs neither: names are always texts, and the maximum of an integer is that of JavaScript.
  const { propertyNames: _, maximum, ...rest } = schema;
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) rest['maximum'] = maximum;
  if (rest.properties === undefined) return rest;
  const properties = Object.entries(rest.properties).map(([name, property]) => {
    const own = `${text}.${name}`;
    const inner = described(property as JsonSchema, BLOCKS.includes(name) ? text : own);
    return [name, { ...inner, markdownDescription: `%${own}%`, ...EDITOR[own] }];
  });
  return { ...rest, properties: Object.fromEntries(properties) as Record<string, JsonSchema> };
}
