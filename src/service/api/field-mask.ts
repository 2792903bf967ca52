import * as z from 'zod/mini';
// Named imports, so that the bundle does not contain all of it.
import { $ZodArray, $ZodObject, $ZodOptional, $ZodRecord, type $ZodType } from 'zod/v4/core';
import { ExecutionSchema } from '../../execution/execution';
import { fieldInvalid } from '../create/request';
import { camelCase } from './proto-json';

/*
 * The parameter `fields` of all Google APIs: `a,b` selects fields, `a/b` and `a.b` fields within fields, `a(b,c)` several
 * of them, `*` all. In a list it applies to each element. Parts in backticks are taken as they are, for keys of maps.
 */

/** Selected fields by name, each with the selection within it; empty: everything. `*` stands for every field. */
export type FieldMask = Map<string, FieldMask>;

/** Most characters and levels of a mask. */
const MAX_LENGTH = 4096;
const MAX_DEPTH = 20;

/** Every field that an answer can have, see routes.ts. */
const anyFields = z.record(z.string(), z.unknown());
const OperationSchema = z.object({
  name: z.string(),
  metadata: anyFields,
  done: z.boolean(),
  error: anyFields,
  response: anyFields,
});
const LocationSchema = z.object({
  name: z.string(),
  locationId: z.string(),
  displayName: z.string(),
  metadata: anyFields,
});
const AnswerSchema = z.object({
  ...ExecutionSchema.shape,
  ...OperationSchema.shape,
  ...LocationSchema.shape,
  executions: z.array(ExecutionSchema),
  operations: z.array(OperationSchema),
  locations: z.array(LocationSchema),
  nextPageToken: z.string(),
  unreachable: z.array(z.string()),
  count: z.number(),
  bytes: z.number(),
  oldest: z.string(),
});

/** Parses a mask. @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `fields` */
export function parseFieldMask(text: string): FieldMask {
  if (text.length > MAX_LENGTH) throw fieldInvalid('fields', `has more than ${MAX_LENGTH} characters`);
  const tokens = text.match(/[(),/.]|`[^`]*`|[^(),/.\s`]+|\S/g) ?? [];
  let position = 0;
  const take = (token: string): boolean => {
    if (tokens[position] !== token) return false;
    position++;
    return true;
  };
  const list = (mask: FieldMask, schema: $ZodType | undefined, depth: number): void => {
    if (depth > MAX_DEPTH) throw fieldInvalid('fields', `has more than ${MAX_DEPTH} levels`);
    do {
      let inner = mask;
      let innerSchema = schema;
      do {
        const token = tokens[position++] ?? '';
        const name = token.startsWith('`') ? token.slice(1, -1) : token;
        if (name === '' || /^[(),/.`]$/.test(token))
          throw fieldInvalid('fields', `is incomplete near ${quote(token)}`);
        const [key, next] = step(innerSchema, name);
        const existing = inner.get(key);
        const ends = !['/', '.', '('].includes(tokens[position] ?? '');
        // `a,a/b` selects all of `a`.
        const selected: FieldMask = (ends ? undefined : existing) ?? new Map<string, FieldMask>();
        if (existing?.size !== 0) inner.set(key, selected);
        inner = existing?.size === 0 ? new Map<string, FieldMask>() : selected;
        innerSchema = next;
      } while (take('/') || take('.'));
      if (take('(')) {
        list(inner, innerSchema, depth + 1);
        if (!take(')')) throw fieldInvalid('fields', 'has a ( without )');
      }
    } while (take(','));
  };
  const mask: FieldMask = new Map<string, FieldMask>();
  list(mask, AnswerSchema, 0);
  if (position < tokens.length)
    throw fieldInvalid('fields', `has ${quote(tokens[position] ?? '')} in the wrong place`);
  return mask;
}

/** The name of a field of a schema, and the schema of its value; undefined where every name is allowed. */
function step(schema: $ZodType | undefined, name: string): [string, $ZodType | undefined] {
  if (schema === undefined || name === '*') return [name, name === '*' ? undefined : schema];
  if (schema instanceof $ZodOptional) return step(schema._zod.def.innerType, name);
  if (schema instanceof $ZodArray) return step(schema._zod.def.element, name);
  if (!(schema instanceof $ZodObject)) {
    if (schema instanceof $ZodRecord) return [name, undefined];
    throw fieldInvalid('fields', `has no field ${quote(name)} there`);
  }
  const field = camelCase(name);
  const value = Object.hasOwn(schema._zod.def.shape, field) ? schema._zod.def.shape[field] : undefined;
  if (value === undefined) throw fieldInvalid('fields', `no answer has the field ${quote(name)}`);
  return [field, value];
}

/** The selected part of an answer. */
export function select(value: unknown, mask: FieldMask): unknown {
  if (mask.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => select(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const inner = mask.get(key) ?? mask.get('*');
    return inner === undefined ? [] : [[key, select(item, inner)] as const];
  });
  return Object.fromEntries(fields);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
