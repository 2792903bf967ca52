export { defaultDataDirectory } from './data-directory';
export { EmbeddedExecutionService, type EmbeddedServiceOptions } from './embedded-execution-service';
export { unsupportedFields } from '../service/unsupported-fields';
export type { ServiceConfig } from '../service/endpoint';
