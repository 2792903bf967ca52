import { ServiceError } from '../../execution/errors';

/**
 * Endpoints of Google's services from the setting `notebookExecutions.google.endpoints`: private endpoints, emulators.
 * Each is a root URL: scheme, host, port. `{location}` stands for the location.
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
  /** Cloud Logging; `https://logging.googleapis.com/` when absent. */
  readonly logging?: string | undefined;
}

const DEFAULTS: Readonly<Record<keyof GoogleEndpoints, string>> = {
  notebooks: 'https://notebooks.googleapis.com/',
  aiplatform: 'https://{location}-aiplatform.googleapis.com/',
  storage: 'https://storage.googleapis.com/',
  cloudresourcemanager: 'https://cloudresourcemanager.googleapis.com/',
  logging: 'https://logging.googleapis.com/',
};

const LOCATION = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The root URL of a service in a location, ending in `/`.
 * @throws ServiceError `fieldInvalid` if the setting is not just scheme, host and port, or the location contains
 * characters that no location has: it becomes part of the host name that receives the user's token.
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
  // Vertex AI's global endpoint has no location in its name.
  const text = template
    .replace('{location}-', location === 'global' ? '' : `${location}-`)
    .replace('{location}', location);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw invalid(service, 'it is no http or https URL');

  // Rejected instead of cut off, because requests would otherwise go to another URL than the user wrote.
  if (url.username !== '' || url.password !== '') throw invalid(service, 'it has a user name');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw invalid(service, 'it has more than scheme, host and port, for example a path');

  return `${url.origin}/`;
}

/** The message does not quote the value: it may contain a password. */
function invalid(service: keyof GoogleEndpoints, problem: string): ServiceError {
  const field = `notebookExecutions.google.endpoints.${service}`;
  return new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
}
