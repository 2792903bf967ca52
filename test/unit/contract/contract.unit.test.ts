import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EmbeddedExecutionService } from '../../../src/embedded/index';
import { contractOfExecutions } from '../../support/contract-executions';
import { contractOfRuns } from '../../support/contract-runs';
import type { ContractSubject } from '../../support/contract-words';
import { BUCKET, CloudDouble, LOCATION, PROJECT } from '../../support/google/cloud';
import { ROOT } from '../../support/paths';
import { VENV_PYTHON } from '../../support/python';

describe('all services', () => {
  describe('this machine', () => {
    const bundles = path.join(ROOT, 'dist');
    const clients: EmbeddedExecutionService[] = [];
    let dataDirectory = '';
    before(() => {
      dataDirectory = mkdtempSync(path.join(tmpdir(), 'nbx-contract-'));
    });
    after(() => {
      for (const client of clients) client.dispose();
      execFileSync(process.execPath, [path.join(bundles, 'service.js'), 'stop', '--data-dir', dataDirectory]);
      rmSync(dataDirectory, { recursive: true, force: true });
    });
    const subject: ContractSubject = {
      client: () => {
        const client = new EmbeddedExecutionService({
          dataDirectory,
          bundles,
          version: '1.0.0',
          idleSeconds: 60,
        });
        clients.push(client);
        return client;
      },
      request: () => ({
        runOptions: { interpreter: VENV_PYTHON, workingDirectory: tmpdir(), environment: environment() },
      }),
    };
    contractOfRuns('the embedded service', subject);
    contractOfExecutions('the embedded service', subject);
  });

  describe('Google Cloud', () => {
    const cloud = new CloudDouble();
    before(() => cloud.start());
    after(() => cloud.stop());
    afterEach(() => {
      assert.deepEqual(cloud.problems, []);
    });
    for (const kind of ['vertex', 'notebooks'] as const) {
      const subject: ContractSubject = {
        differences: { cancelMayFail: true, sampledHistory: true, opaqueRun: true, partialEcho: true },
        client: () => cloud.google().service(kind, PROJECT, LOCATION),
        request: () => ({
          executionTemplate: {
            masterType: 'n1-standard-4',
            containerImageUri: 'gcr.io/deeplearning-platform-release/base-cpu',
            outputNotebookFolder: `gs://${BUCKET}/contract-${kind}`,
            serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
          },
        }),
      };
      contractOfRuns(kind, subject);
      contractOfExecutions(kind, subject);
    }
  });
});

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
