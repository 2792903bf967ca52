import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import { ExecutionTemplateSchema, RunOptionsSchema } from '../../execution/execution';
import { ScheduleOptionsSchema, ScheduleSchema, type ScheduleOptions } from '../../execution/schedule';
import { camelCase, fromProtoJson } from '../api/proto-json';
import {
  fieldInvalid,
  invalidField,
  parseBody,
  parseCreateBody,
  type CreateRequest,
} from '../create/request';
import { CronTimes } from './cron-times';
import { timesOf } from './schedule-record';

/** Most bytes of a request's body. Parameters of that size are data, and belong in a file (`paramsYamlFile`). */
export const MAX_SCHEDULE_BODY = 64 * 1024;

const time = z.optional(z.iso.datetime({ offset: true }));
const count = (most: number) => z.optional(z.number().check(z.int(), z.minimum(1), z.maximum(most)));

/** The request body: every field that a client may send, and no other. Output-only fields are accepted and ignored. */
const ScheduleBodySchema = z.strictObject({
  name: z.optional(z.unknown()),
  displayName: z.optional(z.unknown()),
  state: z.optional(z.unknown()),
  createTime: z.optional(z.unknown()),
  updateTime: z.optional(z.unknown()),
  recentExecutions: z.optional(z.unknown()),
  scheduleStatus: z.optional(z.unknown()),
  description: z.optional(z.string()),
  cronSchedule: z.string(),
  timeZone: z.optional(z.string()),
  // Checked like those of an execution.
  executionTemplate: z.unknown(),
  runOptions: z.optional(z.unknown()),
  scheduleOptions: z.optional(
    z.strictObject({
      ...ScheduleOptionsSchema.shape,
      startTime: time,
      endTime: time,
      maxRuns: count(1_000_000_000),
      pauseAfterFailures: count(1000),
    }),
  ),
});

/** A schedule as a client asks for it, checked as far as possible without reading files. */
export interface ScheduleInput extends Omit<CreateRequest, 'schedule'> {
  readonly cronSchedule: string;
  readonly timeZone: string | undefined;
  readonly scheduleOptions: ScheduleOptions;
}

/** Reads the body of a request about a schedule. @throws ServiceError `requestTooLarge`, `jsonInvalid` */
export function readScheduleBody(bytes: Uint8Array): unknown {
  if (bytes.length <= MAX_SCHEDULE_BODY) return parseBody(bytes);
  const message = `the body of a request about a schedule has at most ${MAX_SCHEDULE_BODY} bytes`;
  throw new ServiceError('INVALID_ARGUMENT', 'requestTooLarge', message);
}

/**
 * Checks a schedule that is to be created.
 * @param now milliseconds since the epoch: at least one run must be due later.
 * @throws ServiceError INVALID_ARGUMENT `fieldUnknown` or `fieldInvalid`, args `field` (its path, such as
 *   `scheduleOptions.maxRuns`).
 */
export function parseSchedule(body: unknown, now: number): ScheduleInput {
  const parsed = ScheduleBodySchema.safeParse(fromProtoJson(ScheduleSchema, body));
  if (!parsed.success) throw invalidField(parsed.error.issues[0]);
  const { description, cronSchedule, timeZone, executionTemplate, runOptions } = parsed.data;
  const { scheduleOptions = {} } = parsed.data;
  const input = {
    ...parseCreateBody({ description, executionTemplate, runOptions }),
    cronSchedule,
    timeZone: timeZone === '' ? undefined : timeZone,
    scheduleOptions,
  };
  checkTimes(input, now);
  return input;
}

function checkTimes(input: ScheduleInput, now: number): void {
  const { startTime, endTime } = input.scheduleOptions;
  if (startTime !== undefined && endTime !== undefined && Date.parse(endTime) < Date.parse(startTime))
    throw fieldInvalid('scheduleOptions.endTime', 'is before startTime');
  const { cronSchedule, timeZone } = input;
  if (new CronTimes({ cronSchedule, timeZone }).after(now) === undefined)
    throw fieldInvalid('cronSchedule', 'is never due: there is no such date');
  if (timesOf(input).after(now) === undefined)
    throw fieldInvalid('scheduleOptions.endTime', 'no run is due until then');
}

/** The fields that can be changed, and the fields in them; a mask may name either. */
const CHANGEABLE: Readonly<Record<string, readonly string[]>> = {
  description: [],
  cronSchedule: [],
  timeZone: [],
  executionTemplate: Object.keys(ExecutionTemplateSchema.shape),
  runOptions: Object.keys(RunOptionsSchema.shape),
  scheduleOptions: Object.keys(ScheduleOptionsSchema.shape),
};

/** Fields of a schedule as they are sent. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Applies a change to a schedule. The fields that the mask names are replaced by those of the body; those that the body
 * lacks are removed. `runOptions.environment` is never echoed, so it stays unless the mask names it or the body has it.
 * @param current the schedule as clients see it.
 * @param sent what the client sent.
 * @param updateMask names of fields, separated by commas, in lowerCamelCase or snake_case; `*` names all.
 * @returns the body of a request that would create the changed schedule, and the paths of the changed fields.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `updateMask` or `body`.
 */
export function applyMask(
  current: Fields,
  sent: unknown,
  updateMask: string,
): { changed: Fields; paths: string[] } {
  const body = fromProtoJson(ScheduleSchema, sent);
  if (!isObject(body)) throw fieldInvalid('body', 'must be an object');
  const names = updateMask.split(',').map((name) => camelCase(name.trim()));
  const paths = names.includes('*') ? Object.keys(CHANGEABLE) : names.filter((name) => name !== '');
  if (paths.length === 0) throw fieldInvalid('updateMask', 'must name the fields to change');
  const changed: Record<string, unknown> = {};
  for (const name of Object.keys(CHANGEABLE)) changed[name] = current[name];
  for (const path of paths) {
    const [outer = '', inner, ...deeper] = path.split('.');
    const known = Object.hasOwn(CHANGEABLE, outer) ? CHANGEABLE[outer] : undefined;
    if (known === undefined || deeper.length > 0 || (inner !== undefined && !known.includes(inner)))
      throw fieldInvalid('updateMask', `${JSON.stringify(path.slice(0, 200))} cannot be changed`);
    const value = Object.hasOwn(body, outer) ? body[outer] : undefined;
    if (inner === undefined) {
      changed[outer] = value;
    } else if (value !== undefined && !isObject(value)) {
      throw fieldInvalid(outer, 'must be an object');
    } else {
      const { [inner]: _, ...others } = isObject(changed[outer]) ? changed[outer] : {};
      const given = value !== undefined && Object.hasOwn(value, inner) ? value[inner] : undefined;
      changed[outer] = given === undefined ? others : { ...others, [inner]: given };
    }
  }
  return { changed, paths };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** SHA-256 of a schedule, without its environment. */
export function contentOfSchedule(input: ScheduleInput): string {
  const { environment: _, ...visible } = input;
  return createHash('sha256')
    .update(JSON.stringify(sortedKeys(visible)))
    .digest('hex');
}

function sortedKeys(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedKeys(item)]));
}
