import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyExamples, removeWorkspace } from '../support/examples';
import { packageSmallExtension } from '../support/small-extension';
import { VSCode } from '../support/vscode';
import { packageExtension } from '../support/vsix';
import type { Case } from './cases';

const EMPTY = {
  id: 'bench.empty-extension',
  code: 'exports.activate = () => {};',
  activationEvents: ['onStartupFinished'],
};

/**
 * Time to load and activate the packaged extension and, for comparison, an empty one in the same windows.
 * @param limit for ours, in seconds.
 */
export function activationCase(name: string, rounds: number, limit: number): Case {
  let vscode: VSCode | undefined;
  let workspace: string | undefined;
  let ours = NaN;
  let theirs = NaN;
  const launch = async (folder: string): Promise<VSCode> => {
    workspace ??= await copyExamples();
    vscode ??= await VSCode.launch({
      vsix: [await packageExtension(), await packageSmallExtension(EMPTY, folder)],
      workspace,
    });
    return vscode;
  };
  return {
    name,
    rounds,
    limit,
    async ours(folder) {
      const running = await launch(folder);
      return {
        async run() {
          // High: the empty extension is the last of the list.
          const window = await running.openWindow({ height: 3000 });
          ours = (await window.activationTime('Notebook Executions')) / 1000;
          theirs = (await window.activationTime(EMPTY.id)) / 1000;
          await window.close();
        },
        seconds: () => ours,
        check() {
          assert.ok(!existsSync(running.dataDirectory), 'The execution service was started.');
          return Promise.resolve();
        },
      };
    },
    peers: {
      'empty extension': {
        prepare: () =>
          Promise.resolve({
            run: () => Promise.resolve(),
            seconds: () => theirs,
            check: () => Promise.resolve(),
          }),
      },
    },
    async close() {
      await vscode?.stop();
      if (workspace !== undefined) await removeWorkspace(workspace);
      vscode = workspace = undefined;
    },
  };
}
