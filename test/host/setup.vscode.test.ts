import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { WelcomeReason } from '../../src/views/explorer/welcome-reason';
import { EXTENSION_ID, ended, textOf } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

/** Every reason except the one with its own rows; a missing one does not compile. */
const REASONS: Readonly<Record<Exclude<WelcomeReason, '' | 'ipykernelMissing'>, true>> = {
  filtered: true,
  serviceNotStarted: true,
  dataDirectoryForeign: true,
  credentials: true,
  cloudFails: true,
  serviceFails: true,
  pythonMissing: true,
};

describe('fixes for a first run', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never' }, (parts) => {
    ({ service, user } = parts);
  });

  it('executes a copy of the example', async () => {
    user.willPick(
      (pick) => {
        pick.choose('This machine');
      },
      (pick) => {
        assert.deepEqual(pick.labels.slice(1, 4), ['throws', 'dice', 'seed']);
        pick.choose('Execute');
      },
    );
    const execution = await ended(service, await run('executeExample'));
    assert.equal(execution.state, 'SUCCEEDED', execution.runStatus?.message);
    assert.match(await textOf(service.readOutput(execution)), /6000 throws of 2 dice, most often 7/);
    const source = vscode.Uri.parse(execution.runOptions?.source ?? '').fsPath;
    const extension = vscode.extensions.getExtension(EXTENSION_ID)?.extensionPath ?? '';
    assert.ok(path.relative(extension, source).startsWith('..'), source);
  });

  it('reports that ipykernel is already installed, and installs nothing', async () => {
    await run('installIpykernel');
    await user.message(/^ipykernel is already installed in \S/);
    assert.deepEqual(user.shownProblems, []);
  });

  it('reports when no service needs credentials', async () => {
    await run('signIn');
    await user.message(/No Google Cloud service needs you to sign in/);
  });

  it('has a text and a button for each reason of an empty view (notebookExecutions.welcome)', () => {
    const read = (name: string): unknown =>
      JSON.parse(
        fs.readFileSync(
          path.join(vscode.extensions.getExtension(EXTENSION_ID)?.extensionPath ?? '', name),
          'utf8',
        ),
      );
    const { contributes } = read('package.json') as {
      contributes: { viewsWelcome: { contents: string; when: string }[] };
    };
    const texts = read('package.nls.json') as Record<string, string>;
    const reasons = contributes.viewsWelcome.flatMap(({ contents, when }) => {
      const reason = /^notebookExecutions\.welcome == (\w+)$/.exec(when)?.[1];
      assert.match(texts[contents.replaceAll('%', '')] ?? '', /\n\[[^\]]+\]\(command:/, contents);
      return reason ?? [];
    });
    assert.deepEqual(reasons.sort(), Object.keys(REASONS).sort());
  });
});
