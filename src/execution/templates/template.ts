import * as z from 'zod/mini';
import {
  RunOptionsSchema,
  StrictExecutionTemplateSchema,
  VertexOptionsSchema,
  type ExecutionTemplate,
} from '../execution';

/*
 * A user's template: a named entry of the setting `notebookExecutions.templates` that says which service runs a
 * notebook and with which defaults. The schema of the setting in package.json is generated from these schemas, see
 * test/support/template-schema.ts.
 */

/** Services a template can name. */
export const TEMPLATE_SERVICES = ['embedded', 'notebooks', 'vertex'] as const;
export type TemplateService = (typeof TEMPLATE_SERVICES)[number];
export type GoogleServiceKind = Exclude<TemplateService, 'embedded'>;

const positive = z.number().check(z.positive());
const runOptions = RunOptionsSchema.shape;

const strict = <T extends z.core.$ZodLooseShape>({ def }: z.ZodMiniOptional<z.ZodMiniObject<T>>) =>
  z.optional(z.strictObject(def.innerType.shape));
const { vmImage, shieldedInstance, reservation, dataform } = VertexOptionsSchema.shape;

/** Every field of {@link VertexOptionsSchema}, and no others. */
const StrictVertexOptionsSchema = z.strictObject({
  ...VertexOptionsSchema.shape,
  vmImage: strict(vmImage),
  shieldedInstance: strict(shieldedInstance),
  reservation: strict(reservation),
  dataform: strict(dataform),
});

/**
 * Run options in a template: the options of the contract that the user may choose, and two that the editor carries out.
 */
export const TemplateRunOptionsSchema = z.strictObject({
  workingDirectory: runOptions.workingDirectory,
  interpreter: runOptions.interpreter,
  /** Variables added to the window's environment. In the contract, `environment` is the complete environment. */
  environment: runOptions.environment,
  timeout: z.optional(positive),
  cellTimeout: z.optional(positive),
  kernelTimeout: z.optional(positive),
  allowErrors: runOptions.allowErrors,
  allowErrorNames: runOptions.allowErrorNames,
  maxAttempts: z.optional(z.int().check(z.minimum(1), z.maximum(10))),
  memoryLimitBytes: z.optional(z.int().check(z.positive())),
  vertex: z.optional(StrictVertexOptionsSchema),
  /** File name of the output in `outputNotebookFolder`; see {@link expandOutputName}. */
  outputName: z.optional(z.string().check(z.regex(/^[^/\\]+$/))),
  /** Write the outputs into the source notebook when the execution succeeded. */
  writeBack: z.optional(z.boolean()),
});
export type TemplateRunOptions = z.infer<typeof TemplateRunOptionsSchema>;

export const UserTemplateSchema = z.strictObject({
  name: z.string().check(z.minLength(1)),
  service: z.enum(TEMPLATE_SERVICES),
  project: z.optional(z.string().check(z.minLength(1))),
  location: z.optional(z.string().check(z.minLength(1))),
  executionTemplate: z.optional(StrictExecutionTemplateSchema),
  runOptions: z.optional(TemplateRunOptionsSchema),
});

/** A valid template. */
export interface UserTemplate {
  readonly name: string;
  readonly service: TemplateService;
  /** Google Cloud project and location; always set for the Google services. */
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  readonly executionTemplate: ExecutionTemplate;
  readonly runOptions: TemplateRunOptions;
}

/**
 * File name for an output from a pattern with `{name}` (notebook without its extension), `{date}` (2026-01-31),
 * `{time}` (235959, both local) and `{id}` (execution id). Always ends in `.ipynb`.
 */
export function expandOutputName(pattern: string, values: { name: string; id: string; now: Date }): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const { now } = values;
  const replacements: Readonly<Record<string, string>> = {
    name: values.name,
    id: values.id,
    date: `${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    time: `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`,
  };
  const expanded = pattern.replace(/\{(\w+)\}/g, (whole, key: string) => replacements[key] ?? whole);
  // A name must never become a path, and must be valid as a file name on Windows, too.
  const safe = expanded.replace(/[/\\:*?"<>|\0]/g, '_').replace(/^\.+/, '');
  return safe.endsWith('.ipynb') ? safe : `${safe || 'output'}.ipynb`;
}
