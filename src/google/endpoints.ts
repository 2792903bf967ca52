import { ServiceError } from '../execution/errors';

/**
 * Where Google's services are, as the setting `notebookExecutions.google.endpoints` has it: private endpoints, emulators.
 * Each is the root of a service: scheme, host, port. `{location}` stands for the location.
 */
export interface GoogleEndpoints {
  /** Notebooks API v1; `https://notebooks.googleapis.com/` when absent. */
  readonly notebooks?: string | undefined;
  /** Vertex AI; `https://{location}-aiplatform.googleapis.com/` when absent. */
  readonly aiplatform?: string | undefined;
  /** Cloud Storage; `https://storage.googleapis.com/` when absent. */
  readonly storage?: string | undefined;
  /** Resource Manager, for the list of projects; `https://cloudresourcemanager.googleapis.com/` when absent. */
  readonly cloudresourcemanager?: string | undefined;
}

const DEFAULTS: Readonly<Record<keyof GoogleEndpoints, string>> = {
  notebooks: 'https://notebooks.googleapis.com/',
  aiplatform: 'https://{location}-aiplatform.googleapis.com/',
  storage: 'https://storage.googleapis.com/',
  cloudresourcemanager: 'https://cloudresourcemanager.googleapis.com/',
};

const LOCATION = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The root URL of a service in a location, ending in `/`.
 * @throws ServiceError `fieldInvalid` where the setting is no http(s) URL or the location has other characters than a
 * location has: it becomes part of a host name that gets the person's token.
 */
export function endpointOf(
  service: keyof GoogleEndpoints,
  endpoints: GoogleEndpoints,
  location = 'global',
): string {
  if (!LOCATION.test(location)) {
    throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `Not a location: ${location}`, {
      field: 'location',
    });
  }
  const template = endpoints[service] ?? DEFAULTS[service];
  // Vertex AI's endpoint without a location is the global one.
  const text = template
    .replace('{location}-', location === 'global' ? '' : `${location}-`)
    .replace('{location}', location);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const field = `endpoints.${service}`;
    throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field} is no URL: ${template}`, { field });
  }
  return `${url.origin}/`;
}
