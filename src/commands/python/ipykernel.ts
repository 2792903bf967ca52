import { execFile } from 'node:child_process';
import * as vscode from 'vscode';
import { describePython } from '../../system/python-environment';
import { Problem } from '../problems/problem';
import { kernelEnvironment } from './kernel-environment';

/**
 * Installs ipykernel with the pip of an interpreter, under a progress that can be cancelled. Without a terminal: not every
 * host of the editor has one.
 * @throws Problem with what pip said last; CancellationError.
 */
export async function installIpykernel(interpreter: string, notebook: vscode.Uri): Promise<void> {
  const env = await kernelEnvironment(notebook, await describePython(interpreter), {});
  await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Installing ipykernel for {0}', interpreter),
      cancellable: true,
    },
    async (_, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => {
        abort.abort();
      });
      try {
        await pip(interpreter, env, abort.signal);
      } finally {
        subscription.dispose();
      }
    },
  );
}

function pip(interpreter: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const args = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', 'ipykernel'];
  return new Promise((resolve, reject) => {
    execFile(interpreter, args, { env, signal, maxBuffer: 16 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve();
      } else if (signal.aborted) {
        reject(new vscode.CancellationError());
      } else {
        const said = (stderr.trim() === '' ? stdout : stderr).trim();
        const last = said.split('\n').at(-1) ?? error.message;
        reject(
          new Problem(vscode.l10n.t('ipykernel could not be installed for {0}: {1}', interpreter, last), [], {
            cause: new Error(said, { cause: error }),
          }),
        );
      }
    });
  });
}
