import * as z from 'zod/mini';

/** Paths of the fields of a value that its schema does not have. Does not look into arrays and records. */
export function unknownFields(schema: unknown, value: unknown, path = ''): string[] {
  if (schema instanceof z.ZodMiniOptional) return unknownFields(schema.def.innerType, value, path);
  if (!(schema instanceof z.ZodMiniObject) || typeof value !== 'object' || value === null) return [];
  const { shape }: { shape: Readonly<Record<string, unknown>> } = schema;
  return Object.entries(value).flatMap(([key, each]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return Object.hasOwn(shape, key) ? unknownFields(shape[key], each, at) : [at];
  });
}
