import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { cloudTemplate, CloudDouble } from '../../support/google/cloud';
import type { RunResult } from '../../support/google/run-notebook';
import { activated, notebookText, withSettings, writeFile as writeFixture } from './executions';
import { TestUser } from './test-user';

/** The template of these suites, and the name of its row. */
export const TEMPLATE = cloudTemplate('host');

/** Objects available to each test of a suite. */
export interface CloudParts {
  readonly cloud: CloudDouble;
  /** A key file that the cloud accepts; the setting names it. */
  readonly keyFile: string;
  /** New for each test. */
  readonly user: TestUser;
}

/** Runs that end immediately; the output is the input, with `error` in its second cell if given. */
export class QuickRuns {
  error: string | undefined;

  readonly run = (input: Buffer): Promise<RunResult> => {
    const { error } = this;
    const notebook = JSON.parse(input.toString()) as { cells: { outputs: object[] }[] };
    const output = { output_type: 'error', ename: 'ValueError', evalue: error, traceback: [] };
    if (error !== undefined) notebook.cells[1]?.outputs.push(output);
    return Promise.resolve({
      state: error === undefined ? 'SUCCEEDED' : 'FAILED',
      message: error === undefined ? undefined : 'The notebook failed.',
      output: Buffer.from(JSON.stringify(notebook)),
    });
  };
}

/**
 * The hooks of a suite that uses a double of Google Cloud like a user: the settings name it for as long as the suite
 * runs. The double must have reported no problem after each test.
 * @param take receives these objects before each test
 */
export function suiteOfCloud(runs: QuickRuns, take: (parts: CloudParts) => void): void {
  const cloud = new CloudDouble(runs.run);
  let keyFile: string;
  let user: TestUser;
  let restore: () => Promise<void>;
  before(async () => {
    await activated();
    await cloud.start();
    keyFile = path.join(cloud.folder, 'identity.json');
    const subject = path.join(cloud.folder, 'subject');
    await writeFile(subject, 'subject-token');
    await writeFile(keyFile, cloud.tokens.workloadIdentity(subject));
    restore = await withSettings({
      'notebookExecutions.google.keyFile': keyFile,
      'notebookExecutions.google.endpoints': cloud.endpoints,
      'notebookExecutions.templates': [],
    });
  });
  after(async () => {
    await restore();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await cloud.stop();
  });
  beforeEach(() => {
    user = new TestUser();
    runs.error = undefined;
    cloud.vertex.requests.length = 0;
    cloud.storage.requests.length = 0;
    take({ cloud, keyFile, user });
  });
  afterEach(() => {
    user.leave();
    assert.deepEqual(cloud.problems, []);
  });
}

/** A notebook with these cells. */
export function notebook(name: string, ...cells: string[]): Promise<vscode.Uri> {
  return writeFixture(`${name}.ipynb`, notebookText(cells));
}

/** The requests to the cloud in this test. */
export function sent(cloud: CloudDouble): string[] {
  return [...cloud.vertex.requests, ...cloud.storage.requests].map(({ id }) => id);
}
