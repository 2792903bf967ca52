import type { GoogleServiceKind } from './template';

/** Something that Google Cloud lists. */
export interface CloudResource {
  /** What goes into the template. */
  readonly id: string;
  /** What Google calls it for people. */
  readonly label?: string | undefined;
}

/** What Google Cloud lists for a new template. Errors are ServiceErrors. */
export interface CloudDirectory {
  /** Active projects that the person may see. */
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
