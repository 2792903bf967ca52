import * as z from 'zod/mini';
import { SCHEDULE_STATE_NUMBERS } from '../../execution/enumerations';
import { ServiceError } from '../../execution/errors';
import { executionIdOf } from '../../execution/execution-name';
import type { Schedule } from '../../execution/schedule';
import { PARENT } from '../../protocol/service-paths';
import { fieldInvalid } from '../create/request';
import type { ScheduleManager } from '../schedules/schedule-manager';
import { readScheduleBody } from '../schedules/schedule-request';
import { filterOf, type FilterFields } from './filter';
import { listPage, type ListQuery } from './list-page';
import { parseOrderBy } from './order-by';
import { checkQuery, one, pageSize } from './query';
import type { ApiRequest } from './server';

/*
 * `locations/local/schedules` of the Notebooks API v1. Beside its methods: PATCH with `updateMask`; `schedules/{id}:pause`
 * and `:resume`, which return the schedule; and for `:trigger` the query parameter `executionId`, and a body with the
 * `parameters` of this run.
 */

const TYPE = 'type.googleapis.com/google.cloud.notebooks.v1';

/** Fields of `filter`. A value alone is searched in what users see of a schedule. */
const FILTER: FilterFields<Schedule> = {
  fields: {
    name: { type: 'text', of: ({ name }) => name },
    displayName: { type: 'text', of: ({ displayName }) => displayName },
    description: { type: 'text', of: ({ description }) => description },
    state: { type: 'enum', values: SCHEDULE_STATE_NUMBERS, of: ({ state }) => state },
    cronSchedule: { type: 'text', of: ({ cronSchedule }) => cronSchedule },
    timeZone: { type: 'text', of: ({ timeZone }) => timeZone },
    createTime: { type: 'time', of: ({ createTime }) => createTime },
    updateTime: { type: 'time', of: ({ updateTime }) => updateTime },
  },
  texts: ({ name, displayName, description }) => [executionIdOf(name), displayName, description],
};

/** Fields of `orderBy`. Times all have the same format, so that their text has the order of time. */
const ORDER = {
  name: ({ name }: Schedule) => name,
  displayName: ({ displayName }: Schedule) => displayName ?? '',
  state: ({ state }: Schedule) => state,
  createTime: ({ createTime }: Schedule) => createTime ?? '',
  updateTime: ({ updateTime }: Schedule) => updateTime ?? '',
} as const;

const TriggerBodySchema = z.optional(z.strictObject({ parameters: z.optional(z.string()) }));
const EmptyBodySchema = z.optional(z.strictObject({}));

/** Handles a request about schedules. @param id with its custom method; undefined for the collection. */
export type ScheduleHandler = (request: ApiRequest, id: string | undefined) => Promise<unknown>;

/** Creates the handler of all requests about schedules. */
export function scheduleRoutes(manager: ScheduleManager): ScheduleHandler {
  const collection = async (request: ApiRequest): Promise<unknown> => {
    if (request.method === 'POST') {
      checkQuery(request, ['scheduleId']);
      const schedule = await manager.create(one(request, 'scheduleId'), readScheduleBody(request.body));
      return operation('create', schedule.name, schedule.createTime, schedule);
    }
    if (request.method !== 'GET') throw notFound();
    checkQuery(request, ['pageSize', 'pageToken', 'filter', 'orderBy']);
    return list(manager, request);
  };

  const custom = async (request: ApiRequest, id: string, method: string): Promise<unknown> => {
    if (request.method !== 'POST') throw notFound();
    switch (method) {
      case 'pause':
      case 'resume':
        checkQuery(request, []);
        bodyOf(EmptyBodySchema, request);
        return method === 'pause' ? manager.pause(id) : manager.resume(id);
      case 'trigger': {
        checkQuery(request, ['executionId']);
        const { parameters } = bodyOf(TriggerBodySchema, request) ?? {};
        const schedule = await manager.trigger(id, one(request, 'executionId'), parameters);
        return operation('trigger', schedule.name, schedule.scheduleStatus?.lastRunTime, schedule);
      }
      default:
        throw notFound();
    }
  };

  return async (request, id) => {
    if (id === undefined) return collection(request);
    const colon = id.lastIndexOf(':');
    if (colon >= 0) return custom(request, id.slice(0, colon), id.slice(colon + 1));
    switch (request.method) {
      case 'GET':
        checkQuery(request, []);
        return manager.get(id);
      case 'PATCH':
        checkQuery(request, ['updateMask']);
        return manager.update(id, readScheduleBody(request.body), one(request, 'updateMask'));
      case 'DELETE':
        checkQuery(request, []);
        await manager.delete(id);
        return operation('delete', `${PARENT}/schedules/${id}`, new Date().toISOString(), undefined);
      default:
        throw notFound();
    }
  };
}

/** One page of schedules; ordered by their names unless ordered otherwise. */
async function list(manager: ScheduleManager, request: ApiRequest): Promise<unknown> {
  const query: ListQuery = {
    filter: one(request, 'filter'),
    orderBy: one(request, 'orderBy'),
    pageSize: pageSize(request),
    pageToken: one(request, 'pageToken'),
  };
  const keys = parseOrderBy<Schedule>(query.orderBy, ORDER);
  const { items: schedules, nextPageToken } = await listPage<Schedule, Schedule>(
    {
      items: manager.list(),
      matches: filterOf(query.filter, FILTER),
      order: [...keys, { of: ORDER.name, descending: false }],
      isSorted: keys.length === 0,
      present: (schedule) => schedule,
    },
    query,
    request.signal,
  );
  const unreachable = manager.unreachable.map((id) => `${PARENT}/schedules/${id}`);
  return {
    schedules,
    ...(unreachable.length === 0 ? {} : { unreachable }),
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
  };
}

/** A long-running operation that is done: none of these takes long. */
function operation(
  verb: string,
  target: string,
  time: string | undefined,
  schedule: Schedule | undefined,
): unknown {
  return {
    name: `${PARENT}/operations/schedule-${verb}-${target.slice(target.lastIndexOf('/') + 1)}`,
    metadata: {
      '@type': `${TYPE}.OperationMetadata`,
      createTime: time,
      endTime: time,
      target,
      verb,
      requestedCancellation: false,
      apiVersion: 'v1',
    },
    done: true,
    response:
      schedule === undefined
        ? { '@type': 'type.googleapis.com/google.protobuf.Empty' }
        : { '@type': `${TYPE}.Schedule`, ...schedule },
  };
}

function bodyOf<T>(schema: z.ZodMiniType<T>, request: ApiRequest): T {
  const parsed = schema.safeParse(readScheduleBody(request.body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.');
  throw fieldInvalid(field === undefined || field === '' ? 'body' : field, 'is not valid here');
}

function notFound(): ServiceError {
  return new ServiceError('NOT_FOUND', 'pathNotFound', 'no such path or method');
}
