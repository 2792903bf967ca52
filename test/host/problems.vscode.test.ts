import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { ExecuteCommands } from '../../src/commands/execute/execute-commands';
import { CommandRunner } from '../../src/commands/command-runner';
import { Problem } from '../../src/wording/problem';
import { problemOf } from '../../src/wording/problem-sentences';
import { PythonFinder } from '../../src/python/chosen-python';
import { SubmissionMemory } from '../../src/commands/submission/submission-memory';
import { WriteBackService } from '../../src/commands/write-back/write-back';
import { EmbeddedExecutionService } from '../../src/embedded';
import { ServiceError } from '../../src/execution/errors';
import { systemClock } from '../../src/tracking/clock';
import { TrackingService } from '../../src/tracking/tracking-service';
import { activated, notebookText, writeFile } from './support/executions';
import { until } from '../support/until';
import { TestUser } from './support/test-user';

describe('a service that cannot start', () => {
  it('is reported with a fix, and nothing is lost', async () => {
    const extension = await activated();
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'nbx-dead-'));
    const service = new EmbeddedExecutionService({
      dataDirectory: path.join(folder, 'data'),
      bundles: path.join(extension.extensionPath, 'dist'),
      version: '0.0.0',
      nodePath: '/bin/false',
    });
    const tracking = new TrackingService({
      clock: systemClock,
      window: { focused: true, onDidChange: () => ({ dispose: () => undefined }) },
      storageFolder: path.join(folder, 'storage'),
      workspace: '',
      processId: process.pid,
      isAlive: () => true,
      random: () => 0,
      log: () => undefined,
    });
    const state = new Map<string, unknown>();
    const memento: vscode.Memento = {
      keys: () => [...state.keys()],
      get: (key: string) => state.get(key) as undefined,
      update: (key, value) => Promise.resolve(void state.set(key, value)),
    };
    const commands = new ExecuteCommands({
      tracking,
      memory: new SubmissionMemory(memento),
      pythons: new PythonFinder(memento, () => undefined),
      writeBack: new WriteBackService(tracking.store, memento, () => undefined),
      services: {
        forTemplate: () => Promise.resolve(service),
        ignoredFields: () => [],
        unsupported: () => Promise.resolve([]),
        missing: () => Promise.resolve([]),
        directory: () => Promise.reject(new Error('no cloud')),
      },
      machine: service,
    });
    const user = new TestUser();
    try {
      user.willPick((pick) => {
        pick.choose('This machine');
      });
      const uri = await writeFile('dead.ipynb', notebookText(['1']));
      const error: unknown = await commands.execute(uri).catch((reason: unknown) => reason);
      const { message, remedies } = problemOf(error);
      assert.match(message, /could not be started/);
      assert.deepEqual(
        remedies.map(({ label }) => label),
        ['Try Again', 'Open Settings'],
      );
    } finally {
      user.leave();
      service.dispose();
      tracking.dispose();
      await fs.rm(folder, { recursive: true });
    }
  });
});

describe('error messages', () => {
  it('say what to do, for every reason that has its own message', () => {
    const say = (reason: string, args = {}): string =>
      problemOf(new ServiceError('FAILED_PRECONDITION', reason, 'technical', args)).message;
    assert.match(
      say('kernelNotFound', { kernel: 'x', kernels: 'a, b' }),
      /no kernel “x”\. Kernels found: a, b/,
    );
    assert.match(say('kernelNotFound', { kernel: 'x', kernels: '' }), /no other Jupyter kernel/);
    assert.match(
      say('apiNotEnabled', { service: 'aiplatform.googleapis.com', project: 'p' }),
      /not enabled in the project p/,
    );
    assert.match(say('permissionDenied', { permission: 'a.b.c' }), /have the permission a\.b\.c/);
    assert.match(say('neverHeardOf'), /technical/);
    assert.doesNotMatch(say('serviceNotStarted'), /technical/);
    assert.match(say('serviceNotStarted', { error: 'spawn ENOENT' }), /could not be started: spawn ENOENT/);
    assert.match(
      say('parametersInvalid', { code: 'keyInvalid', field: 'executionTemplate.paramsYamlFile' }),
      /cannot be used: A name must be plain text/,
    );
    assert.match(
      say('notebookInvalid', { code: 'tooLarge', bytes: '629145600' }),
      /^The notebook is too large: 600 MB\.$/,
    );
  });

  it('say that a data directory holds other files, and offer to choose another', () => {
    const args = { path: '/home/ada', names: '.bashrc, .git' };
    const problem = problemOf(new ServiceError('FAILED_PRECONDITION', 'dataDirectoryForeign', '', args));
    assert.match(
      problem.message,
      /^The data directory \/home\/ada holds other files \(\.bashrc, \.git\)\. Nothing /,
    );
    assert.deepEqual(
      problem.remedies.map(({ label }) => label),
      ['Open Settings'],
    );
  });

  it('offer to sign in and to open the page with the fix', () => {
    const labels = (args: Record<string, string>): string[] =>
      problemOf(new ServiceError('UNAUTHENTICATED', 'credentialsExpired', '', args)).remedies.map(
        ({ label }) => label,
      );
    assert.deepEqual(labels({ command: 'gcloud auth' }), ['Sign In']);
    assert.deepEqual(labels({ url: 'https://console.cloud.google.com/' }), ['Open Page']);
  });

  it('shows actions beyond the three buttons of a notification in a pick', async () => {
    const user = new TestUser();
    const log = vscode.window.createOutputChannel('problems', { log: true });
    try {
      const pressed: string[] = [];
      const remedies = ['A', 'B', 'C', 'D'].map((label) => ({ label, run: () => pressed.push(label) }));
      const runner = new CommandRunner(log);
      const fail = (count: number): Promise<unknown> =>
        runner.run('remedy', () => {
          throw new Problem(`It failed ${String(count)}.`, remedies.slice(0, count));
        });
      user.willPress(/^It failed 3/, 'C');
      await fail(3);
      await until('the third button was pressed', () => pressed[0]);
      user.willPress(/^It failed 4/, 'More…');
      user.willPick((pick) => {
        assert.deepEqual(pick.labels, ['C', 'D']);
        pick.choose('D');
      });
      await fail(4);
      await until('the fourth was chosen', () => pressed[1]);
      assert.deepEqual(pressed, ['C', 'D']);
      assert.deepEqual(
        user.messages.map(({ buttons }) => buttons),
        [
          ['A', 'B', 'C'],
          ['A', 'B', 'More…'],
        ],
      );
    } finally {
      user.leave();
      log.dispose();
    }
  });
});
