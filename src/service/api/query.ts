import { ServiceError } from '../../execution/errors';
import { fieldInvalid } from '../create/request';
import { isSystemParameter } from './system-parameters';
import type { ApiRequest } from './server';

/* Query parameters of a request. All functions throw INVALID_ARGUMENT, with the parameter as `field`. */

/** Rejects parameters that the method does not have. @throws ServiceError `fieldUnknown` */
export function checkQuery({ query }: ApiRequest, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name) && !isSystemParameter(name)) {
      const field = name.slice(0, 200);
      const message = `unknown query parameter ${field}`;
      throw new ServiceError('INVALID_ARGUMENT', 'fieldUnknown', message, { field });
    }
  }
}

/** A query parameter that may be given once; empty if absent. */
export function one({ query }: ApiRequest, name: string): string {
  const [value = '', ...more] = query.getAll(name);
  if (more.length > 0) throw fieldInvalid(name, 'is given more than once');
  return value;
}

/** The number of results that a list is to have; 0 if the service may choose. */
export function pageSize(request: ApiRequest): number {
  const text = one(request, 'pageSize');
  if (!/^\d{0,9}$/.test(text)) throw fieldInvalid('pageSize', 'must be a number, not negative');
  return Number(text);
}

/** A boolean parameter; false if absent. */
export function flag(request: ApiRequest, name: string): boolean {
  const text = one(request, name);
  if (!/^(?:true|false|)$/.test(text)) throw fieldInvalid(name, 'must be true or false');
  return text === 'true';
}
