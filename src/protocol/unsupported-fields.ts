import type { ExecutionTemplate } from '../execution/execution';

/** Fields that mean something to Google's machines and nothing to this one. */
const UNSUPPORTED = [
  'scaleTier',
  'masterType',
  'acceleratorConfig',
  'containerImageUri',
  'serviceAccount',
  'jobType',
  'dataprocParameters',
  'vertexAiParameters',
  'tensorboard',
] as const satisfies readonly (keyof ExecutionTemplate)[];

/**
 * Names the fields of a template that the embedded service keeps and echoes but cannot honour, for the editor to say so
 * before submission. The service itself repeats them as a warning `fieldIgnored` (args: the field) on the execution.
 */
export function unsupportedFields(template: ExecutionTemplate): string[] {
  return UNSUPPORTED.filter((field) => template[field] !== undefined);
}
