/** Any JSON value. A number is a {@link JsonNumber} if a JavaScript number would change its spelling. */
export type JsonValue = null | boolean | number | string | JsonNumber | JsonValue[] | JsonObject;
/** A JSON object. Its keys keep their order, see {@link parseJson}. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** A number that a JavaScript number cannot hold in its spelling: `1.0`, `12345678901234567890`, `1e400`, `-0.0`. */
export class JsonNumber {
  /** @param text the number as JSON spells it; not checked. */
  constructor(readonly text: string) {}

  /** The nearest JavaScript number, possibly infinite. */
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

/** Order of the keys of an object with index-like keys, which JavaScript would move to the front. */
const KEY_ORDER = Symbol('key order');
type Ordered = JsonObject & { [KEY_ORDER]?: string[] };

/** Sets a property, also `__proto__`, which is an ordinary name in JSON. */
export function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** Sets the order of keys that {@link jsonKeys} and therefore stringifyJson use for the object. */
export function setKeyOrder(object: object, keys: readonly string[]): void {
  Object.defineProperty(object, KEY_ORDER, { value: [...new Set(keys)], configurable: true });
}

/** The keys of an object in the order of its document; keys added later come last. */
export function jsonKeys(object: JsonObject): string[] {
  const order = (object as Ordered)[KEY_ORDER];
  const keys = Object.keys(object);
  return order === undefined
    ? keys
    : [...new Set([...order, ...keys])].filter((key) => Object.hasOwn(object, key));
}
