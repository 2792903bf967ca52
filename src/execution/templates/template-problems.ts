import * as z from 'zod/mini';
import { closest } from '../closest';
import { UserTemplateSchema, type UserTemplate } from './template';

/** A problem in an entry of the setting; `field` is a path such as `runOptions.timeout`, empty for the entry itself. */
export type TemplateProblem =
  | { readonly code: 'unknownField'; readonly field: string; readonly suggestion: string | undefined }
  | { readonly code: 'missingField'; readonly field: string }
  | { readonly code: 'wrongType'; readonly field: string; readonly expected: string }
  | { readonly code: 'wrongValue'; readonly field: string; readonly allowed: string }
  | { readonly code: 'duplicateName'; readonly field: string };

/**
 * An entry of the setting: a template, or the reasons why it is invalid. An invalid entry keeps its place and its name.
 */
export type TemplateEntry =
  | { readonly name: string; readonly template: UserTemplate; readonly problems?: undefined }
  | {
      /** Empty if the entry has no readable name. */
      readonly name: string;
      readonly template?: undefined;
      readonly problems: readonly TemplateProblem[];
    };

/**
 * Reads the value of `notebookExecutions.templates`. Never throws: invalid entries are returned with their problems.
 * @param reserved names that entries cannot have (the built-in template's)
 */
export function parseTemplates(value: unknown, reserved: readonly string[] = []): TemplateEntry[] {
  if (value === undefined || value === null) return [];

  if (!Array.isArray(value))
    return [{ name: '', problems: [{ code: 'wrongType', field: '', expected: 'array' }] }];

  const taken = new Set(reserved);
  return value.map((item: unknown) => {
    const entry = parseTemplate(item);
    if (entry.name !== '' && taken.has(entry.name))
      return { name: entry.name, problems: [{ code: 'duplicateName', field: 'name' }] };

    taken.add(entry.name);
    return entry;
  });
}

function parseTemplate(item: unknown): TemplateEntry {
  const result = UserTemplateSchema.safeParse(item);
  if (!result.success)
    return { name: nameOf(item), problems: result.error.issues.flatMap((issue) => problemsOf(issue, item)) };

  const { executionTemplate = {}, runOptions = {}, ...rest } = result.data;
  const missing = (['project', 'location'] as const).filter(
    (field) => rest.service !== 'embedded' && rest[field] === undefined,
  );
  if (missing.length > 0)
    return { name: rest.name, problems: missing.map((field) => ({ code: 'missingField', field })) };

  return { name: rest.name, template: { ...rest, executionTemplate, runOptions } };
}

function nameOf(item: unknown): string {
  return typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string'
    ? item.name
    : '';
}

function problemsOf(issue: z.core.$ZodIssue, item: unknown): TemplateProblem[] {
  const field = issue.path.map(String).join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'unknownField',
        field: field === '' ? key : `${field}.${key}`,
        suggestion: closest(key, knownFields(field)),
      }));
    case 'invalid_type':
      return valueAt(item, issue.path) === undefined
        ? [{ code: 'missingField', field }]
        : [{ code: 'wrongType', field, expected: issue.expected }];
    case 'invalid_value':
      return valueAt(item, issue.path) === undefined
        ? [{ code: 'missingField', field }]
        : [{ code: 'wrongValue', field, allowed: issue.values.map(String).join(', ') }];
    case 'too_small':
      return issue.origin === 'string'
        ? [{ code: 'missingField', field }]
        : [
            {
              code: 'wrongValue',
              field,
              allowed: `${issue.inclusive === true ? '≥' : '>'} ${String(issue.minimum)}`,
            },
          ];
    case 'too_big':
      return [{ code: 'wrongValue', field, allowed: `≤ ${String(issue.maximum)}` }];
    case 'invalid_format':
      return [{ code: 'wrongValue', field, allowed: issue.pattern ?? issue.format }];
    default:
      return [{ code: 'wrongValue', field, allowed: issue.message }];
  }
}

/** Field names that are allowed in the object at this path. */
function knownFields(field: string): string[] {
  let schema: unknown = UserTemplateSchema;
  for (const key of field === '' ? [] : field.split('.')) {
    const inner = schema instanceof z.ZodMiniObject ? schema.shape[key] : undefined;
    schema = inner instanceof z.ZodMiniOptional ? inner._zod.def.innerType : inner;
  }
  return schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : [];
}

function valueAt(item: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = item;
  for (const key of path)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

  return value;
}
