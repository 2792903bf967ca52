import {
  ACCELERATOR_TYPES,
  JOB_TYPES,
  SCALE_TIERS,
  SCHEDULE_STATE_NUMBERS,
  STATE_NUMBERS,
  type Enumeration,
} from '../../execution/enumerations';
import { fieldInvalid } from '../create/request';
import { parseFieldMask, select, type FieldMask } from './field-mask';

/*
 * The system parameters of all Google APIs (cloud.google.com/apis/docs/system-parameters). Clients send them with any
 * request, with or without `$`. `alt`, `fields` and `prettyPrint` change the answer; the others do nothing here.
 */

const IGNORED = [
  '$.xgafv',
  '$apiVersion',
  '$ct',
  '$trace',
  '$unique',
  '$userProject',
  'access_token',
  'bearer_token',
  'oauth_token',
  'uploadType',
  'upload_protocol',
];
/** Those with two names. A callback never gets an answer as a script: that would let web pages read it. */
const WITH_DOLLAR = ['alt', 'callback', 'fields', 'key', 'prettyPrint', 'quotaUser'];
const SYSTEM_PARAMETERS: ReadonlySet<string> = new Set([
  ...IGNORED,
  ...WITH_DOLLAR,
  ...WITH_DOLLAR.map((name) => `$${name}`),
]);

export function isSystemParameter(name: string): boolean {
  return SYSTEM_PARAMETERS.has(name);
}

/** What a request says about the form of its answer. */
export interface AnswerForm {
  /** Values of enumerations as numbers. */
  readonly enumNumbers: boolean;
  readonly fields: FieldMask | undefined;
  readonly pretty: boolean;
}

/**
 * Reads the system parameters.
 * @param header the header `X-Goog-FieldMask`, which is used if the query selects no fields.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid`
 */
export function answerForm(query: URLSearchParams, header: string | undefined): AnswerForm {
  const alt = last(query, 'alt') ?? 'json';
  const [format = '', ...options] = alt.toLowerCase().split(';');
  const encodings = options.map((option) => /^enum-encoding=(int|name)$/.exec(option)?.[1]);
  if (format !== 'json' || encodings.includes(undefined))
    throw fieldInvalid('alt', 'must be json, or json;enum-encoding=int');

  const pretty = last(query, 'prettyPrint') ?? 'false';
  if (!/^(?:true|false|1|0)$/.test(pretty)) throw fieldInvalid('prettyPrint', 'must be true or false');
  const selected = [...query.getAll('$fields'), ...query.getAll('fields')].join(',') || header;
  return {
    enumNumbers: encodings.includes('int'),
    fields: selected === undefined || selected === '' ? undefined : parseFieldMask(selected),
    pretty: pretty === 'true' || pretty === '1',
  };
}

function last(query: URLSearchParams, name: string): string | undefined {
  return query.getAll(`$${name}`).at(-1) ?? query.getAll(name).at(-1);
}

/** The text of an answer in the form that the request asked for. */
export function formatAnswer(answer: unknown, { enumNumbers, fields, pretty }: AnswerForm): string {
  const numbered = enumNumbers ? withEnumNumbers(answer) : answer;
  const selected = fields === undefined ? numbered : select(numbered, fields);
  return JSON.stringify(selected, undefined, pretty ? 2 : undefined);
}

/** The enumerations by the path to them. */
interface EnumFields {
  readonly [field: string]: EnumFields | Enumeration;
}
const EXECUTION = {
  state: STATE_NUMBERS,
  executionTemplate: {
    scaleTier: SCALE_TIERS,
    jobType: JOB_TYPES,
    acceleratorConfig: { type: ACCELERATOR_TYPES },
  },
};
/** An execution or a schedule. INITIALIZING, which both have, is a state of executions: no schedule of ours has it. */
const RESOURCE = {
  ...EXECUTION,
  state: { ...SCHEDULE_STATE_NUMBERS, ...STATE_NUMBERS },
  recentExecutions: EXECUTION,
};
/** `runStatus` is not part of Google's API: its states stay names. */
const ANSWERS: EnumFields = {
  ...RESOURCE,
  response: RESOURCE,
  executions: EXECUTION,
  schedules: RESOURCE,
  operations: { response: RESOURCE },
};

/** The answer with numbers for the values of enumerations; 0, unspecified, for one that Google's API does not have. */
function withEnumNumbers(value: unknown, fields: EnumFields | Enumeration = ANSWERS): unknown {
  if (typeof value === 'string') {
    const number = Object.hasOwn(fields, value) ? fields[value] : undefined;
    return typeof number === 'number' ? number : 0;
  }
  if (Array.isArray(value)) return value.map((item) => withEnumNumbers(item, fields));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]: [string, unknown]) => {
    const inner = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return [key, typeof inner === 'object' ? withEnumNumbers(item, inner) : item] as const;
  });
  return Object.fromEntries(entries);
}
