import { aiplatform_v1 } from 'googleapis/build/src/apis/aiplatform/v1';
import { cloudresourcemanager_v1 } from 'googleapis/build/src/apis/cloudresourcemanager/v1';
import { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import * as z from 'zod/mini';
import type { CloudDirectory, CloudResource } from '../execution/cloud-directory';
import type { GoogleServiceKind } from '../execution/templates/template';
import type { CloudStorageClient } from './storage/cloud-storage-client';
import { endpointOf, type GoogleEndpoints } from './requests/endpoints';
import type { AttemptOptions, RequestSender } from './requests/request-sender';

const text = z.optional(z.string());
const ProjectsSchema = z.object({
  projects: z._default(z.array(z.object({ projectId: z.string(), name: text, lifecycleState: text })), []),
  nextPageToken: text,
});
const LocationsSchema = z.object({
  locations: z._default(z.array(z.object({ locationId: text, name: text, displayName: text })), []),
  nextPageToken: text,
});
const RuntimeTemplatesSchema = z.object({
  notebookRuntimeTemplates: z._default(z.array(z.object({ name: z.string(), displayName: text })), []),
  nextPageToken: text,
});

/** Maximum number of pages; a longer list does not help the user to choose. */
const MAX_PAGES = 20;

/** Lists the resources to choose from for a new template. */
export class GoogleDirectory implements CloudDirectory {
  constructor(
    private readonly sender: RequestSender,
    private readonly storage: CloudStorageClient,
    private readonly endpoints: GoogleEndpoints,
  ) {}

  /** Active projects that the user may see. */
  async projects(signal?: AbortSignal): Promise<CloudResource[]> {
    const api = new cloudresourcemanager_v1.Cloudresourcemanager({
      rootUrl: endpointOf('cloudresourcemanager', this.endpoints),
    });
    const pages = await this.pages(
      ProjectsSchema,
      (options, pageToken) =>
        api.projects.list({ filter: 'lifecycleState:ACTIVE', pageSize: 500, ...pageToken }, options),
      signal,
    );
    return sorted(
      pages.flatMap((page) => page.projects.map(({ projectId, name }) => ({ id: projectId, label: name }))),
    );
  }

  /** Locations that have the service. */
  async locations(kind: GoogleServiceKind, project: string, signal?: AbortSignal): Promise<CloudResource[]> {
    const name = `projects/${project}`;
    const pages = await this.pages(
      LocationsSchema,
      (options, pageToken) => {
        if (kind === 'vertex') {
          const api = new aiplatform_v1.Aiplatform({ rootUrl: endpointOf('aiplatform', this.endpoints) });
          return api.projects.locations.list({ name, ...pageToken }, options);
        }
        const api = new notebooks_v1.Notebooks({ rootUrl: endpointOf('notebooks', this.endpoints) });
        return api.projects.locations.list({ name, ...pageToken }, options);
      },
      signal,
      project,
    );
    const choices = pages.flatMap((page) =>
      page.locations.flatMap(({ locationId, name: resource, displayName }) => {
        const id = locationId ?? resource?.split('/').at(-1);
        // Executions run only in regions: us-central1, not global, us or us-central1-a.
        return id !== undefined && /^[a-z]+-[a-z]+\d+$/.test(id) ? [{ id, label: displayName }] : [];
      }),
    );
    return sorted(choices);
  }

  /** Buckets of a project; those in the location come first. */
  async buckets(project: string, location: string, signal?: AbortSignal): Promise<CloudResource[]> {
    const buckets = await this.storage.buckets(project, signal);
    const near = (bucket: (typeof buckets)[number]): number => (bucket.location === location ? 0 : 1);
    return buckets
      .sort((a, b) => near(a) - near(b) || a.name.localeCompare(b.name))
      .map((bucket) => ({ id: bucket.name, label: bucket.location }));
  }

  /** Runtime templates of Vertex AI (Colab Enterprise) in a location. */
  async runtimeTemplates(project: string, location: string, signal?: AbortSignal): Promise<CloudResource[]> {
    const api = new aiplatform_v1.Aiplatform({ rootUrl: endpointOf('aiplatform', this.endpoints, location) });
    const parent = `projects/${project}/locations/${location}`;
    const pages = await this.pages(
      RuntimeTemplatesSchema,
      (options, pageToken) =>
        api.projects.locations.notebookRuntimeTemplates.list({ parent, ...pageToken }, options),
      signal,
      project,
      location,
    );
    return sorted(
      pages.flatMap((page) =>
        page.notebookRuntimeTemplates.map(({ name, displayName }) => ({ id: name, label: displayName })),
      ),
    );
  }

  private async pages<T extends { nextPageToken?: string | undefined }>(
    schema: z.ZodMiniType<T>,
    list: (options: AttemptOptions, pageToken: { pageToken?: string }) => Promise<{ data: unknown }>,
    signal?: AbortSignal,
    project?: string,
    location?: string,
  ): Promise<T[]> {
    const pages: T[] = [];
    let pageToken: { pageToken?: string } = {};
    while (pages.length < MAX_PAGES) {
      const token = pageToken;
      const page = await this.sender.send(
        schema,
        (options) => list(options, token),
        { project, location },
        signal,
      );
      pages.push(page);
      if (page.nextPageToken === undefined || page.nextPageToken === '') break;
      pageToken = { pageToken: page.nextPageToken };
    }
    return pages;
  }
}

function sorted(choices: CloudResource[]): CloudResource[] {
  return choices.sort((a, b) => a.id.localeCompare(b.id));
}
