import { ApiDouble, ApiError } from './api-double';
import type { CheckedCall } from './discovery';
import type { TokenDouble } from './token-double';

/** Resource Manager v1: the list of projects, two per page. */
export class ResourceManagerDouble extends ApiDouble {
  readonly ids = ['my-project', 'another-project', 'old-project'];

  constructor(tokens: TokenDouble) {
    super('cloudresourcemanager.v1', tokens);
  }

  protected handle(call: CheckedCall): unknown {
    if (call.id !== 'cloudresourcemanager.projects.list') throw new ApiError('UNIMPLEMENTED', call.id);
    const start = Number(call.query.get('pageToken') ?? 0);
    return {
      projects: this.ids
        .slice(start, start + 2)
        .map((projectId) => ({ projectId, name: projectId.replace('-', ' '), lifecycleState: 'ACTIVE' })),
      ...(start + 2 < this.ids.length ? { nextPageToken: String(start + 2) } : {}),
    };
  }
}
