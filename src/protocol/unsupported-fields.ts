import type { ExecutionTemplate } from '../execution/execution';

/** Fields that apply to Google's machines and not to this one. */
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
 * Names the fields of a template that the embedded service stores and returns but cannot apply, so that the editor can
 * say so before submission. The service itself adds a warning `fieldIgnored` (args: the field) for each to the
 * execution.
 */
export function unsupportedFields(template: ExecutionTemplate): string[] {
  return UNSUPPORTED.filter((field) => template[field] !== undefined);
}
