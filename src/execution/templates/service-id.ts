import type { UserTemplate } from './template';

/** The id of the service that a template names, see {@link ExecutionService.id}. */
export function serviceIdOf({
  service,
  project = '',
  location = '',
}: Pick<UserTemplate, 'service' | 'project' | 'location'>): string {
  return service === 'embedded' ? service : `${service}/${project}/${location}`;
}
