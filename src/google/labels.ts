import { ServiceError } from '../execution/errors';

/*
 * Labels of Google Cloud resources: at most 63 characters, lower-case letters, digits, `_` and `-`; keys begin with a
 * letter; at most 64 on one resource ("Requirements for labels", Resource Manager documentation).
 */

const MAX_LENGTH = 63;
const KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** Labels of this extension. The first one marks an execution as created with it. */
export const LABELS = {
  /** Fingerprint of the request, to recognise a repeated create. */
  fingerprint: 'notebook-executions',
  /** Name of the user's template, encoded. */
  template: 'notebook-executions-template',
  /** File name of the notebook, encoded. Its path is not sent. */
  source: 'notebook-executions-source',
} as const;
const OURS: ReadonlySet<string> = new Set(Object.values(LABELS));

/**
 * Encodes a text in the characters of a label value: lower-case letters, digits and `-` are unchanged, `_` becomes
 * `__`, a space `_-`, a capital letter `_` and its lower case, any other character `_` and its code point in decimal
 * and `_`. Truncated to the maximum length.
 */
export function encodeLabel(text: string): string {
  let label = '';
  for (const character of text) {
    const encoded = encodeCharacter(character);
    if (label.length + encoded.length > MAX_LENGTH) break;
    label += encoded;
  }
  return label;
}

function encodeCharacter(character: string): string {
  if (/^[a-z0-9-]$/.test(character)) return character;
  if (character === '_') return '__';
  if (character === ' ') return '_-';
  if (/^[A-Z]$/.test(character)) return `_${character.toLowerCase()}`;
  return `_${String(character.codePointAt(0))}_`;
}

/** Decodes a text of {@link encodeLabel}. Any other label is decoded as far as possible. */
export function decodeLabel(label: string): string {
  return label.replace(
    /_(?:(_)|(-)|([a-z])|(\d{1,7})_)/g,
    (whole, underscore, space, capital: string | undefined, code) => {
      if (underscore !== undefined) return '_';
      if (space !== undefined) return ' ';
      if (capital !== undefined) return capital.toUpperCase();
      const codePoint = Number(code);
      return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : whole;
    },
  );
}

/**
 * Maximum labels on one resource, and how many of them the user may set: the rest is for this extension's and Google's
 * own.
 */
const MOST_LABELS = 64;
const MOST_OF_USER = MOST_LABELS - OURS.size - 1;

/** Rejects labels that Google would reject. @throws ServiceError `fieldInvalid` */
export function checkLabels(labels: Readonly<Record<string, string>> = {}): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!KEY.test(key) || !VALUE.test(value))
      throw invalidLabels(`executionTemplate.labels.${key}`, `“${key}: ${value}” is no valid label`);
  }
  const count = Object.keys(labels).length;
  if (count > MOST_OF_USER) {
    const problem = `${String(count)} labels are more than the ${String(MOST_OF_USER)} that can be set`;
    throw invalidLabels('executionTemplate.labels', problem);
  }
}

function invalidLabels(field: string, problem: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}

/** The user's labels with those of this extension. */
export function withOurLabels(
  labels: Readonly<Record<string, string>> | undefined,
  ours: { fingerprint: string; templateName?: string | undefined; source?: string | undefined },
): Record<string, string> {
  return {
    ...labels,
    [LABELS.fingerprint]: ours.fingerprint,
    ...(ours.templateName === undefined ? {} : { [LABELS.template]: encodeLabel(ours.templateName) }),
    ...(ours.source === undefined ? {} : { [LABELS.source]: encodeLabel(ours.source) }),
  };
}

/** Decodes this extension's labels and separates them from the others. */
export function readLabels(labels: Readonly<Record<string, string>> | undefined): {
  fingerprint: string | undefined;
  templateName: string | undefined;
  source: string | undefined;
  others: Record<string, string> | undefined;
} {
  const others = Object.entries(labels ?? {}).filter(([key]) => !OURS.has(key));
  const decoded = (key: string): string | undefined => {
    const label = labels?.[key];
    return label === undefined ? undefined : decodeLabel(label);
  };
  return {
    fingerprint: labels?.[LABELS.fingerprint],
    templateName: decoded(LABELS.template),
    source: decoded(LABELS.source),
    others: others.length === 0 ? undefined : Object.fromEntries(others),
  };
}
