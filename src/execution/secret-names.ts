/** Names of parameters that hold secrets, unless told otherwise. `*` stands for any characters; case does not matter. */
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

/** What is shown in place of a secret; its length tells nothing. */
export const MASK = '••••••••';

/** Whether a parameter of this name holds a secret. */
export function isSecretName(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matcherOf(pattern).test(name));
}

function matcherOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`, 'i');
}

/** The value with what stands under secret names, at any depth, masked; the same object where there is none. */
export function maskSecrets<T>(value: T, patterns: readonly string[]): T {
  return masked(value, patterns) as T;
}

function masked(value: unknown, patterns: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => masked(item, patterns));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  // Numbers that keep their spelling are objects of a class: values, not mappings.
  if (typeof value !== 'object' || value === null || !isMapping(value)) return value;
  const before: [string, unknown][] = Object.entries(value);
  const after = before.map(([name, entry]): [string, unknown] => [
    name,
    isSecretName(name, patterns) && !isEmpty(entry) ? MASK : masked(entry, patterns),
  ]);
  return after.some(([, entry], index) => entry !== before[index]?.[1]) ? Object.fromEntries(after) : value;
}

/** What hides nothing: an empty default says that a value is to be given. */
function isEmpty(value: unknown): boolean {
  return value === null || value === '';
}

function isMapping(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
