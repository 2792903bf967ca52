export { defaultDataDirectory } from './data-directory';
export { EmbeddedExecutionService, type EmbeddedServiceOptions } from './embedded-execution-service';
export { serviceLogFile } from './local-files';
export { unsupportedFields } from '../protocol/unsupported-fields';
export type { ServiceConfig } from '../protocol/service-schemas';
