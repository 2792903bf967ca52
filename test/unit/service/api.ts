import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fakeKernel, NOTEBOOK, PARENT, temporaryFolder, TestService, type Answer } from './support';

/** A service, and the notebook that its executions are created from. */
export interface Api {
  readonly folder: string;
  readonly service: TestService;
  readonly input: string;
  /** Creates an execution; the given fields are merged into the request. */
  readonly create: (
    id: string,
    template: Record<string, unknown>,
    options?: Record<string, unknown>,
    more?: Record<string, unknown>,
  ) => Promise<Answer>;
}

/** Starts a service with its own executions. It is ended after the test file. */
export async function startApi(): Promise<Api> {
  const folder = temporaryFolder();
  const service = await TestService.start(folder);
  const input = path.join(folder, 'in.ipynb');
  fs.writeFileSync(input, NOTEBOOK);
  return {
    folder,
    service,
    input,
    create: async (id, template, options = {}, more = {}) =>
      service.request('POST', `${PARENT}/executions?executionId=${id}`, {
        executionTemplate: { inputNotebookFile: pathToFileURL(input).href, ...template },
        runOptions: { environment: fakeKernel(folder), ...options },
        ...more,
      }),
  };
}

interface ErrorBody {
  code: number;
  message: string;
  status: string;
  details: {
    '@type': string;
    reason?: string;
    metadata?: Record<string, string>;
    fieldViolations?: { field: string }[];
  }[];
}

/** Summary of an error response. */
export function errorOf(answer: Answer): {
  code: number;
  status: string;
  reason: string | undefined;
  field: string | undefined;
  metadata: Record<string, string>;
} {
  const error = answer.body['error'] as ErrorBody;
  assert.equal(error.code, answer.code);
  return {
    code: error.code,
    status: error.status,
    reason: error.details[0]?.reason,
    field: error.details[1]?.fieldViolations?.[0]?.field,
    metadata: error.details[0]?.metadata ?? {},
  };
}
