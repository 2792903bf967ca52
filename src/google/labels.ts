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
  /** Image that the notebook runs in, encoded; empty if it does not fit. Continued in {@link IMAGE_LABELS}. */
  image: 'notebook-executions-image',
} as const;
/** An image's name is often longer than one label. */
const IMAGE_LABELS = [LABELS.image, ...['2', '3', '4'].map((part) => `${LABELS.image}-${part}`)];
const OURS: ReadonlySet<string> = new Set([...Object.values(LABELS), ...IMAGE_LABELS]);

/** Keys that begin with this are reserved for Vertex AI, which rejects them in a request (`NotebookExecutionJob.labels`). */
const RESERVED = 'aiplatform.googleapis.com/';

/**
 * Encodes a text in the characters of a label value: lower-case letters, digits and `-` are unchanged, `_` becomes
 * `__`, a space `_-`, a capital letter `_` and its lower case, any other character `_` and its code point in decimal
 * and `_`. Truncated to the maximum length.
 */
export function encodeLabel(text: string, most = MAX_LENGTH): string {
  let label = '';
  for (const character of text) {
    const encoded = encodeCharacter(character);
    if (label.length + encoded.length > most) break;
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

/** The labels of an image's name; if it does not fit, one empty label. */
function imageLabels(image: string): Record<string, string> {
  const encoded = encodeLabel(image, MAX_LENGTH * IMAGE_LABELS.length);
  if (decodeLabel(encoded) !== image) return { [LABELS.image]: '' };
  const parts = IMAGE_LABELS.map((label, index) => {
    const start = index * MAX_LENGTH;
    return [label, encoded.slice(start, start + MAX_LENGTH)] as const;
  });
  return Object.fromEntries(parts.filter(([, part]) => part !== ''));
}

/**
 * Maximum labels on one resource, and how many of them the user may set: the rest is for this extension's and Google's
 * own.
 */
const MOST_LABELS = 64;
const MOST_OF_USER = MOST_LABELS - OURS.size - 1;

/** Rejects labels that Google would reject. @throws ServiceError `fieldInvalid` */
export function checkLabels(labels: Readonly<Record<string, string>> = {}): void {
  const sent = withoutReserved(labels);
  for (const [key, value] of sent) {
    if (!KEY.test(key) || !VALUE.test(value))
      throw invalidLabels(`executionTemplate.labels.${key}`, `“${key}: ${value}” is no valid label`);
  }
  const count = sent.length;
  if (count > MOST_OF_USER) {
    const problem = `${String(count)} labels are more than the ${String(MOST_OF_USER)} that can be set`;
    throw invalidLabels('executionTemplate.labels', problem);
  }
}

function invalidLabels(field: string, problem: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}

/** The labels that are not reserved. Those of a job that is run again may be. */
function withoutReserved(labels: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(labels).filter(([key]) => !key.startsWith(RESERVED));
}

/** The user's labels with those of this extension, without reserved ones. */
export function withOurLabels(
  labels: Readonly<Record<string, string>> | undefined,
  ours: {
    fingerprint: string;
    templateName?: string | undefined;
    source?: string | undefined;
    image?: string | undefined;
  },
): Record<string, string> {
  return {
    ...Object.fromEntries(withoutReserved(labels)),
    [LABELS.fingerprint]: ours.fingerprint,
    ...(ours.templateName === undefined ? {} : { [LABELS.template]: encodeLabel(ours.templateName) }),
    ...(ours.source === undefined ? {} : { [LABELS.source]: encodeLabel(ours.source) }),
    ...(ours.image === undefined ? {} : imageLabels(ours.image)),
  };
}

/** Decodes this extension's labels and separates them from the others. */
export function readLabels(labels: Readonly<Record<string, string>> | undefined): {
  fingerprint: string | undefined;
  templateName: string | undefined;
  source: string | undefined;
  /** Empty if it was too long for the labels. */
  image: string | undefined;
  /** Without reserved ones. */
  others: Record<string, string> | undefined;
} {
  const others = withoutReserved(labels).filter(([key]) => !OURS.has(key));
  const decoded = (key: string): string | undefined => {
    const label = labels?.[key];
    return label === undefined ? undefined : decodeLabel(label);
  };
  return {
    fingerprint: labels?.[LABELS.fingerprint],
    templateName: decoded(LABELS.template),
    source: decoded(LABELS.source),
    image:
      labels?.[LABELS.image] === undefined
        ? undefined
        : decodeLabel(IMAGE_LABELS.map((label) => labels[label] ?? '').join('')),
    others: others.length === 0 ? undefined : Object.fromEntries(others),
  };
}
