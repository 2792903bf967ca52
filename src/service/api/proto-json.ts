import * as z from 'zod/mini';
// Named imports, so that the bundle does not contain all of it.
import { $ZodArray, $ZodNumber, $ZodObject, $ZodOptional, type $ZodType } from 'zod/v4/core';
import { enumName, type Enumeration } from '../../execution/enumerations';

/*
 * Proto3 JSON in requests (protobuf.dev/programming-guides/json): field names in lowerCamelCase or as in the proto
 * file, `null` for an absent field, numbers as numbers or text, and enum values by name or number.
 */

const NUMBER = /^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/;

/**
 * The value as plain JSON for a schema: known fields have their lowerCamelCase name, those that are `null` are removed,
 * and numbers that are given as text are numbers. Everything else stays as it is, for the schema to judge. The keys of
 * maps are data and are not changed.
 */
export function fromProtoJson(schema: $ZodType, value: unknown): unknown {
  if (schema instanceof $ZodOptional) return fromProtoJson(schema._zod.def.innerType, value);
  if (schema instanceof $ZodArray && Array.isArray(value))
    return value.map((item) => fromProtoJson(schema._zod.def.element, item));

  if (schema instanceof $ZodNumber && typeof value === 'string' && NUMBER.test(value)) return Number(value);

  if (!(schema instanceof $ZodObject) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value;
  const { shape } = schema._zod.def;
  const fields = Object.entries(value).map(([key, item]: [string, unknown]): [string, unknown] => {
    const name = camelCase(key);
    // A field that is given under both names keeps its second one, which the schema does not know.
    const isKnown = Object.hasOwn(shape, name) && (name === key || !Object.hasOwn(value, name));
    const field = isKnown ? shape[name] : undefined;
    return field === undefined ? [key, item] : [name, fromProtoJson(field, item)];
  });
  return Object.fromEntries(fields.filter(([name, item]) => item !== null || !Object.hasOwn(shape, name)));
}

/** A field's name in lowerCamelCase: `create_time` is `createTime`. */
export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A field with a value of an enumeration, by name or number; read as its name. */
export function enumValue(values: Enumeration): z.ZodMiniType<string> {
  return checked((value) => enumName(values, value), `must be one of ${Object.keys(values).join(', ')}`);
}

const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;

/** A field of type int64, as a number or text; read as text, as proto3 JSON writes it. */
export function int64(): z.ZodMiniType<string> {
  return checked((value) => {
    const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
    if (typeof text !== 'string' || !/^-?\d{1,19}$/.test(text)) return undefined;
    const number = BigInt(text);
    return number >= INT64[0] && number <= INT64[1] ? String(number) : undefined;
  }, 'must be a 64-bit integer, as text if it is large');
}

/** A field whose value `read` returns, or undefined if it is not valid. */
function checked(read: (value: unknown) => string | undefined, problem: string): z.ZodMiniType<string> {
  return z.pipe(
    z.transform((input: unknown, context) => {
      const value = read(input);
      if (value === undefined) context.issues.push({ code: 'custom', input, message: problem });
      return value ?? '';
    }),
    z.string(),
  );
}
