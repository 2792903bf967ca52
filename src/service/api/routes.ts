import { ServiceError } from '../../execution/errors';
import * as z from 'zod/mini';
import { PARENT } from '../../protocol/service-paths';
import type { CleanUp, ServiceInfo } from '../../protocol/service-schemas';
import type { ExecutionManager } from '../execution-manager';
import { fieldInvalid, parseBody, readCreateRequest } from '../create/request';
import { Operations } from './operations';
import type { ApiHandler, ApiRequest } from './server';

/*
 * The paths of the Notebooks API v1 (discovery document notebooks.v1, revision 20260812) for one project and location,
 * both named `local`, and custom methods that the API does not have: `executions/{id}:cancel`, `:pin` and `:unpin`
 * return the execution; `locations/local:cleanUp` deletes executions that ended before `endedBefore` (with `dryRun` it
 * only reports them); `locations/local:stop` stops the service and leaves the runners running.
 */

/** System parameters of all Google APIs. Clients may send them; this service ignores them. */
const SYSTEM_PARAMETERS = [
  '$.xgafv',
  'access_token',
  'alt',
  'callback',
  'fields',
  'key',
  'oauth_token',
  'prettyPrint',
  'quotaUser',
  'upload_protocol',
  'uploadType',
];

/** Operations on the service itself that the routes need. */
export interface ServiceControl {
  info(): ServiceInfo;
  /** Stops the service once the current request is answered. */
  stop(): void;
  /** Reads config.json again if it changed. Called before each create and each request about the location. */
  reloadConfig(): Promise<void>;
  /** Deletes executions that ended before `endedBefore` (RFC 3339); with `dryRun` only reports what it would delete. */
  cleanUp(endedBefore: string, dryRun: boolean): Promise<CleanUp>;
}

const CleanUpBodySchema = z.strictObject({
  endedBefore: z.iso.datetime(),
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
    checkQuery(request, ['pageSize', 'pageToken']);
    const page = manager.executions.page(pageSize(request), one(request, 'pageToken'));
    if (name === 'executions') return page;
    return {
      operations: page.executions.map((execution) => operations.created(execution)),
      ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
    };
  };

  const execution = async (request: ApiRequest, id: string): Promise<unknown> => {
    checkQuery(request, []);
    const [, custom] = /:([^:]*)$/.exec(id) ?? [];
    if (custom !== undefined) {
      if (request.method !== 'POST') throw notFound();
      checkEmptyBody(request);
      const plain = id.slice(0, -`:${custom}`.length);
      if (custom === 'cancel') return manager.cancel(plain);
      if (custom === 'pin' || custom === 'unpin') return manager.pin(plain, custom === 'pin');
      throw notFound();
    }
    if (request.method === 'GET') return manager.get(id);
    if (request.method === 'DELETE') return operations.deleted(id, await manager.delete(id));
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
        const body = CleanUpBodySchema.safeParse(smallBody(request));
        if (!body.success) throw fieldInvalid('body', 'must be {endedBefore, dryRun}');
        return control.cleanUp(body.data.endedBefore, body.data.dryRun ?? false);
      }
      if (request.method === 'POST' && place === 'local:stop') {
        control.stop();
        return {};
      }
      throw notFound();
    }
    if (place !== 'local' || (kind !== 'executions' && kind !== 'operations')) throw notFound();
    if (id === undefined) return collection(request, kind);
    if (kind === 'executions') return execution(request, id);
    checkQuery(request, []);
    if (request.method !== 'GET') throw notFound();
    return operations.get(id);
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

function checkQuery({ query }: ApiRequest, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name) && !SYSTEM_PARAMETERS.includes(name)) {
      throw new ServiceError('INVALID_ARGUMENT', 'fieldUnknown', `unknown query parameter ${name}`, {
        field: name,
      });
    }
  }
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

/** A query parameter that may be given once; empty if absent. */
function one({ query }: ApiRequest, name: string): string {
  const [value = '', ...more] = query.getAll(name);
  if (more.length > 0) throw fieldInvalid(name, 'is given more than once');
  return value;
}

function pageSize(request: ApiRequest): number {
  const text = one(request, 'pageSize');
  if (!/^\d{0,9}$/.test(text)) throw fieldInvalid('pageSize', 'must be a number, not negative');
  return Number(text);
}
