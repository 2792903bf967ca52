import type { GoogleServiceKind } from './templates/template';

/** A resource in a list of Google Cloud. */
export interface CloudResource {
  /** Value for the template. */
  readonly id: string;
  /** Google's display name. */
  readonly label?: string | undefined;
}

/** Lists Google Cloud resources to choose from for a new template. Errors are ServiceErrors. */
export interface CloudDirectory {
  /** Active projects that the user may see. */
  projects(signal?: AbortSignal): Promise<readonly CloudResource[]>;
  /** Locations that have the service. */
  locations(
    kind: GoogleServiceKind,
    project: string,
    signal?: AbortSignal,
  ): Promise<readonly CloudResource[]>;
  buckets(project: string, location: string, signal?: AbortSignal): Promise<readonly CloudResource[]>;
  runtimeTemplates(
    project: string,
    location: string,
    signal?: AbortSignal,
  ): Promise<readonly CloudResource[]>;
}
