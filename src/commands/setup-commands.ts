import * as vscode from 'vscode';
import { ServiceError } from '../execution/errors';
import { hasIpykernel } from '../system/ipykernel';
import type { TrackingService } from '../tracking/tracking-service';
import { withoutLinks } from '../wording/text';
import type { CommandMap } from './command-map';
import { googleRemedies } from '../wording/google-sentences';
import { Problem } from '../wording/problem';
import type { PythonFinder } from '../python/chosen-python';
import { PythonSetup } from '../python/python-setup';
import { assertTrusted } from './submission/submitter';

type Handled =
  | 'notebookExecutions.installIpykernel'
  | 'notebookExecutions.createEnvironment'
  | 'notebookExecutions.selectPython'
  | 'notebookExecutions.signIn';

/** Commands that fix what prevents notebooks from running. */
export function setupCommands(
  tracking: TrackingService,
  pythons: PythonFinder,
  checkPython: () => Promise<void>,
): Pick<CommandMap, Handled> {
  const setup = new PythonSetup(pythons);
  /** The Python of this window. Requires a trusted workspace: the Python may be part of the workspace. */
  const findPython = async () => {
    assertTrusted();
    const { executable, state } = await pythons.forWindow();
    if (executable === undefined) {
      throw new Problem(
        vscode.l10n.t('No Python was found. Install it or select an interpreter, then try again.'),
      );
    }
    return { executable, state };
  };
  /** Says that notebooks can run. If ipykernel is still missing, installs it first. */
  const finish = async (executable: string): Promise<void> => {
    await checkPython();
    if (await hasIpykernel(executable, process.env)) {
      void vscode.window.showInformationMessage(
        withoutLinks(vscode.l10n.t('Notebooks can be executed with {0}.', executable)),
      );
    } else {
      await setup.installIpykernel(executable, finish);
    }
  };
  return {
    'notebookExecutions.installIpykernel': async () => {
      const { executable, state } = await findPython();
      if (state === 'ipykernelMissing') {
        await setup.installIpykernel(executable, finish);
      } else {
        void vscode.window.showInformationMessage(
          withoutLinks(vscode.l10n.t('ipykernel is already installed in {0}.', executable)),
        );
      }
      await checkPython();
    },
    'notebookExecutions.createEnvironment': async () => {
      const { executable } = await findPython();
      await setup.createEnvironment(executable, finish);
    },
    'notebookExecutions.selectPython': async () => {
      assertTrusted();
      await setup.selectPython((await pythons.forWindow()).executable, finish);
    },
    'notebookExecutions.signIn': async () => {
      const [remedy] = tracking.store
        .statuses()
        .flatMap(({ error }) =>
          error instanceof ServiceError && error.status === 'UNAUTHENTICATED' ? googleRemedies(error) : [],
        );
      if (remedy === undefined)
        throw new Problem(vscode.l10n.t('No Google Cloud service needs you to sign in.'));
      await remedy.run();
    },
  };
}
