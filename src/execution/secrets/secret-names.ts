/** Default name patterns of parameters that hold secrets. `*` stands for any characters; case does not matter. */
export const SECRET_PARAMETERS: readonly string[] = [
  '*password*',
  '*passwd*',
  '*passphrase*',
  '*secret*',
  // Not `max_tokens` or `tokenizer`.
  '*token',
  '*api_key*',
  '*apikey*',
  '*access_key*',
  '*private_key*',
  '*credential*',
];

/** Shown in place of a secret; its length reveals nothing. */
export const MASK = '••••••••';

/** Whether a parameter of this name holds a secret. */
export function isSecretName(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matcherOf(pattern).test(name));
}

function matcherOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`, 'i');
}

/**
 * A copy of the value with everything under secret names masked, at any depth; the same object if nothing was masked.
 */
export function maskSecrets<T>(value: T, patterns: readonly string[]): T {
  return masked(value, patterns) as T;
}

function masked(value: unknown, patterns: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => masked(item, patterns));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  // JsonNumber (a number that keeps its spelling) is an object, but a value, not a mapping.
  if (typeof value !== 'object' || value === null || !isMapping(value)) return value;
  const before: [string, unknown][] = Object.entries(value);
  const after = before.map(([name, entry]): [string, unknown] => [
    name,
    isSecretName(name, patterns) && !isEmpty(entry) ? MASK : masked(entry, patterns),
  ]);
  return after.some(([, entry], index) => entry !== before[index]?.[1]) ? Object.fromEntries(after) : value;
}

/** Empty values are not masked: an empty default shows that the user must enter a value. */
function isEmpty(value: unknown): boolean {
  return value === null || value === '';
}

function isMapping(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
