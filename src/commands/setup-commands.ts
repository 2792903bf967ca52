import * as vscode from 'vscode';
import { ServiceError } from '../execution/errors';
import { hasIpykernel } from '../system/ipykernel';
import type { TrackingService } from '../tracking/tracking-service';
import type { PythonState } from '../views/explorer/welcome-reason';
import { withoutLinks } from '../views/text';
import type { CommandMap } from './command-map';
import { googleRemedies } from './google-cloud/google-sentences';
import { Problem } from './problems/problem';
import { chosenPython } from './python/chosen-python';
import { installIpykernel } from './python/ipykernel';
import { pythonOnPath } from './python/python-on-path';

/** The Python that notebooks of this window run in. */
export interface FoundPython {
  readonly state: PythonState;
  /** Absolute path; undefined where there is none. */
  readonly executable: string | undefined;
}

/** Commands that mend what keeps notebooks from being executed. */
export function setupCommands(
  tracking: TrackingService,
  lookAgain: () => Promise<void>,
): Pick<CommandMap, 'notebookExecutions.installIpykernel' | 'notebookExecutions.signIn'> {
  return {
    'notebookExecutions.installIpykernel': async () => {
      const { executable, state } = await findPython();
      if (executable === undefined) {
        throw new Problem(
          vscode.l10n.t('No Python was found. Install it or select an interpreter, then try again.'),
        );
      }
      if (state === 'ipykernelMissing') {
        await installIpykernel(executable, exampleNotebook());
      } else {
        void vscode.window.showInformationMessage(
          withoutLinks(vscode.l10n.t('ipykernel is already installed in {0}.', executable)),
        );
      }
      await lookAgain();
    },
    'notebookExecutions.signIn': async () => {
      const [remedy] = tracking.store
        .statuses()
        .flatMap(({ error }) =>
          error instanceof ServiceError && error.status === 'UNAUTHENTICATED' ? googleRemedies(error) : [],
        );
      if (remedy === undefined) {
        throw new Problem(vscode.l10n.t('No Google Cloud service needs you to sign in.'));
      }
      await remedy.run();
    },
  };
}

/** Looks for the Python that a notebook of this window would run in, and for ipykernel there. */
export async function findPython(): Promise<FoundPython> {
  const chosen = await chosenPython(exampleNotebook());
  const { executable, found } =
    chosen === undefined
      ? await pythonOnPath(process.env).then((python) => ({
          executable: python?.executable,
          found: python?.hasIpykernel ?? false,
        }))
      : { executable: chosen.executable, found: await hasIpykernel(chosen.executable, process.env) };
  const missing = executable === undefined ? 'pythonMissing' : 'ipykernelMissing';
  return { executable, state: found ? 'found' : missing };
}

/** Where a notebook of this window might be. */
function exampleNotebook(): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  return folder === undefined
    ? vscode.Uri.from({ scheme: 'untitled', path: 'notebook.ipynb' })
    : vscode.Uri.joinPath(folder.uri, 'notebook.ipynb');
}
