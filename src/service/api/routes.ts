import { ServiceError } from '../../execution/errors';
import * as z from 'zod/mini';
import { PARENT } from '../../protocol/service-paths';
import type { CleanUp, ServiceInfo } from '../../execution/machine';
import type { ExecutionManager } from '../execution-manager';
import { fieldInvalid, parseBody, readCreateRequest } from '../create/request';
import { listExecutions } from './execution-list';
import type { ListQuery } from './list-page';
import { Operations } from './operations';
import { checkQuery, flag, one, pageSize } from './query';
import { fromProtoJson } from './proto-json';
import type { ScheduleHandler } from './schedule-routes';
import type { ApiHandler, ApiRequest } from './server';
import { isUnimplemented } from './unimplemented';

/*
 * The paths of the Notebooks API v1 (discovery document notebooks.v1, revision 20260812) for one project and location,
 * both named `local`, and custom methods that the API does not have: `executions/{id}:cancel`, `:pin` and `:unpin`
 * return the execution; `locations/local:cleanUp` deletes executions that ended before `endedBefore` (with `dryRun` it
 * only reports them); `locations/local:stop` stops the service and leaves the runners running.
 */

/** Operations on the service itself that the routes need. */
export interface ServiceControl {
  info(): ServiceInfo;
  /** Stops the service once the current request is answered. */
  stop(): void;
  /** Reads config.json again if it changed. Called before each create and each request about the location. */
  reloadConfig(): Promise<void>;
  /** Deletes executions that ended before `endedBefore` (RFC 3339); with `dryRun` only reports what it would delete. */
  cleanUp(endedBefore: string, dryRun: boolean): Promise<CleanUp>;
  /** Handles requests about schedules. */
  readonly schedules: ScheduleHandler;
}

const CleanUpBodySchema = z.strictObject({
  endedBefore: z.iso.datetime({ offset: true }),
  dryRun: z.optional(z.boolean()),
});

/** Creates the handler of all routes. */
export function routes(manager: ExecutionManager, control: ServiceControl): ApiHandler {
  const operations = new Operations(manager);
  const location = (): unknown => ({
    name: PARENT,
    locationId: 'local',
    displayName: control.info().host,
    metadata: control.info(),
  });

  const collection = async (request: ApiRequest, name: string): Promise<unknown> => {
    if (name === 'executions' && request.method === 'POST') {
      checkQuery(request, ['executionId']);
      const id = one(request, 'executionId');
      const create = await readCreateRequest(request.body, request.signal);
      await control.reloadConfig();
      return operations.created(await manager.create(id, create, request.signal));
    }
    if (request.method !== 'GET') throw notFound();
    const isExecutions = name === 'executions';
    checkQuery(request, [
      'pageSize',
      'pageToken',
      'filter',
      isExecutions ? 'orderBy' : 'returnPartialSuccess',
    ]);
    const query: ListQuery = {
      filter: one(request, 'filter'),
      orderBy: one(request, 'orderBy'),
      pageSize: pageSize(request),
      pageToken: one(request, 'pageToken'),
    };
    if (isExecutions) return listExecutions(manager.executions, query, request.signal);
    // There is one location, so that there are no partial answers.
    flag(request, 'returnPartialSuccess');
    return operations.list(query, request.signal);
  };

  const execution = async (request: ApiRequest, id: string): Promise<unknown> => {
    checkQuery(request, []);
    const [plain, custom] = splitCustom(id);
    if (custom !== undefined) {
      if (request.method !== 'POST') throw notFound();
      checkEmptyBody(request);
      if (custom === 'cancel') return manager.cancel(plain);
      if (custom === 'pin' || custom === 'unpin') return manager.pin(plain, custom === 'pin');
      throw notFound();
    }
    if (request.method === 'GET') return manager.get(id);
    if (request.method === 'DELETE') {
      await manager.delete(id);
      return operations.deleted(id);
    }
    throw notFound();
  };

  const operation = async (request: ApiRequest, id: string): Promise<unknown> => {
    checkQuery(request, []);
    const [plain, custom] = splitCustom(id);
    if (custom === 'cancel' && request.method === 'POST') {
      checkEmptyBody(request);
      await operations.cancel(plain);
      return {};
    }
    if (custom === undefined && request.method === 'GET') return operations.get(id);
    if (custom === undefined && request.method === 'DELETE') {
      operations.delete(id);
      return {};
    }
    throw notFound();
  };

  return async (request) => {
    const segments = request.path.split('/').map(decode);
    const [version, projects, project, locations, place, kind, id, ...rest] = segments;
    if (version !== 'v1' || projects !== 'projects' || project !== 'local' || locations !== 'locations')
      throw notFound();
    if (rest.length > 0) throw notFound();
    if (kind === undefined) {
      checkQuery(
        request,
        place === undefined ? ['pageSize', 'pageToken', 'filter', 'extraLocationTypes'] : [],
      );
      await control.reloadConfig();
      if (request.method === 'GET' && place === undefined) return { locations: [location()] };
      if (request.method === 'GET' && place === 'local') return location();
      if (request.method === 'POST' && place === 'local:cleanUp') {
        const body = CleanUpBodySchema.safeParse(fromProtoJson(CleanUpBodySchema, smallBody(request)));
        if (!body.success) throw fieldInvalid('body', 'must be {endedBefore, dryRun}');
        return control.cleanUp(body.data.endedBefore, body.data.dryRun ?? false);
      }
      if (request.method === 'POST' && place === 'local:stop') {
        control.stop();
        return {};
      }
      throw notFound();
    }
    if (place !== 'local') throw notFound();
    if (kind === 'schedules') {
      if (request.method !== 'GET') await control.reloadConfig();
      return control.schedules(request, id);
    }
    if (isUnimplemented(request.method, kind, id)) {
      const message = `this service has no ${kind}`;
      throw new ServiceError('UNIMPLEMENTED', 'methodUnimplemented', message);
    }
    if (kind !== 'executions' && kind !== 'operations') throw notFound();
    if (id === undefined) return collection(request, kind);
    return kind === 'executions' ? execution(request, id) : operation(request, id);
  };
}

function notFound(): ServiceError {
  return new ServiceError('NOT_FOUND', 'pathNotFound', 'no such path or method');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound();
  }
}

/** An id, and the custom method after its last colon. */
function splitCustom(id: string): [id: string, custom: string | undefined] {
  const colon = id.lastIndexOf(':');
  return colon < 0 ? [id, undefined] : [id.slice(0, colon), id.slice(colon + 1)];
}

/** Most bytes of a body, except of creates. */
const MAX_SMALL_BODY = 16 * 1024;

/** Parses a small body as JSON. @throws ServiceError `requestTooLarge`, `jsonInvalid` */
function smallBody({ body }: ApiRequest): unknown {
  if (body.length <= MAX_SMALL_BODY) return parseBody(body);
  const message = `the body of this request has at most ${MAX_SMALL_BODY} bytes`;
  throw new ServiceError('INVALID_ARGUMENT', 'requestTooLarge', message);
}

function checkEmptyBody(request: ApiRequest): void {
  const body = smallBody(request);
  if (body === undefined) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw fieldInvalid('body', 'must be an object');
  const [field] = Object.keys(body);
  if (field !== undefined)
    throw new ServiceError('INVALID_ARGUMENT', 'fieldUnknown', `unknown field ${field}`, { field });
}
