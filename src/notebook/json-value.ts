/** Any JSON value. A number is a {@link JsonNumber} where a JavaScript number would be spelled differently. */
export type JsonValue = null | boolean | number | string | JsonNumber | JsonValue[] | JsonObject;
/** A JSON object. Its keys keep their order, see {@link parseJson}. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** A number that JavaScript cannot hold as it is spelled: `1.0`, `12345678901234567890`, `1e400`, `-0.0`. */
export class JsonNumber {
  /** @param text the number as JSON spells it; not checked. */
  constructor(readonly text: string) {}

  /** The nearest JavaScript number, perhaps infinite. */
  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }
}

/** True for an object of {@link JsonValue}: neither null, nor an array, nor a number. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  );
}

/** Order of the keys of an object that has index-like keys; such keys JavaScript would put first. */
const KEY_ORDER = Symbol('key order');
type Ordered = JsonObject & { [KEY_ORDER]?: string[] };

/** Sets a property; `__proto__` too is just a name in JSON. */
export function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Makes `keys` the order in which {@link jsonKeys} and hence stringifyJson go through the object. */
export function setKeyOrder(object: object, keys: readonly string[]): void {
  Object.defineProperty(object, KEY_ORDER, { value: [...new Set(keys)], configurable: true });
}

/** The keys of an object in the order of the document it was read from; keys added later come last. */
export function jsonKeys(object: JsonObject): string[] {
  const order = (object as Ordered)[KEY_ORDER];
  const keys = Object.keys(object);
  return order === undefined
    ? keys
    : [...new Set([...order, ...keys])].filter((key) => Object.hasOwn(object, key));
}
