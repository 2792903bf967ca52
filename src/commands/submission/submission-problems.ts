import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { UserTemplate } from '../../execution/templates/template';
import { describePython } from '../../system/python-environment';
import { isJsonObject } from '../../notebook/json';
import type { Notebook } from '../../notebook/model';
import { label } from '../../wording/text';
import { googleRemedies } from '../../wording/google-sentences';
import { Problem, type Remedy } from '../../wording/problem';
import { machineRemedies, sentenceOf } from '../../wording/problem-sentences';
import { pythonOnPath } from '../../python/python-on-path';
import type { PythonSetup } from '../../python/python-setup';
import { nameOf, type Submission } from './submission';
import { editTemplates } from '../templates/template-settings';

/** Submits again after the problem was fixed. */
export type Resubmit = (submission: Submission) => Promise<unknown>;

/**
 * Adds buttons that fix the problem and submit again to a failed submission; returns other errors unchanged.
 */
export async function withRemedies(
  failure: unknown,
  submission: Submission,
  resubmit: Resubmit,
  setup: PythonSetup,
): Promise<unknown> {
  if (!(failure instanceof ServiceError)) return failure;
  const error = await withPython(failure);
  const remedies = remediesOf(error, submission, resubmit, setup);
  return remedies.length === 0 ? error : new Problem(sentenceOf(error), remedies, { cause: error });
}

/** If a Python kernel was not found although Python is installed, the missing part is ipykernel. */
async function withPython(error: ServiceError): Promise<ServiceError> {
  if (error.reason !== 'kernelNotFound' || !/^python[23]?$/.test(error.args['kernel'] ?? '')) return error;
  const python = await pythonOnPath(process.env);
  return python === undefined
    ? error
    : new ServiceError(
        error.status,
        'ipykernelMissing',
        error.message,
        { interpreter: python.executable },
        { cause: error },
      );
}

function remediesOf(
  error: ServiceError,
  submission: Submission,
  resubmit: Resubmit,
  setup: PythonSetup,
): Remedy[] {
  const again: Remedy = { label: vscode.l10n.t('Try Again'), run: () => resubmit(submission) };
  const edit: Remedy = { label: vscode.l10n.t('Edit Templates'), run: editTemplates };
  switch (error.reason) {
    case 'ipykernelMissing': {
      const interpreter = error.args['interpreter'];
      if (interpreter === undefined) return [];
      const onReady = async (executable: string): Promise<unknown> =>
        resubmit(await withPythonOf(submission, executable));
      return [
        {
          label: vscode.l10n.t('Install ipykernel'),
          run: () => setup.installIpykernel(interpreter, onReady),
        },
        ...setup.alternatives(interpreter, onReady),
      ];
    }
    case 'kernelNotFound': {
      const kernels = (error.args['kernels'] ?? '').split(', ').filter((name) => name !== '');
      return kernels.length === 0
        ? []
        : [
            {
              label: vscode.l10n.t('Choose Kernel…'),
              run: () => chooseKernel(kernels, submission, resubmit),
            },
          ];
    }
    case 'interpreterNotFound':
    case 'outputNotWritable':
    case 'workingDirectoryInvalid':
    case 'parametersInvalid':
    case 'fileNotReadable':
      return [edit, again];
    case 'dataDirectoryForeign':
      return machineRemedies(error);
    case 'serviceNotStarted':
      return [
        again,
        {
          label: vscode.l10n.t('Open Settings'),
          run: () =>
            vscode.commands.executeCommand('workbench.action.openSettings', 'notebookExecutions.nodePath'),
        },
      ];
    default:
      return googleRemedies(error).length > 0
        ? [...googleRemedies(error), again]
        : error.status === 'UNAVAILABLE' || error.status === 'DEADLINE_EXCEEDED'
          ? [again]
          : [];
  }
}

async function chooseKernel(
  kernels: readonly string[],
  submission: Submission,
  resubmit: Resubmit,
): Promise<void> {
  const chosen = await vscode.window.showQuickPick(
    kernels.map((kernel) => ({ kernel, label: label(kernel) })),
    {
      title: vscode.l10n.t('Execute {0}', nameOf(submission.source)),
      placeHolder: vscode.l10n.t('Choose the kernel to execute with'),
    },
  );
  if (chosen !== undefined)
    await resubmit({ ...submission, template: withKernel(submission.template, chosen.kernel) });
}

/** The submission with another Python, which replaces the template's. */
async function withPythonOf(submission: Submission, executable: string): Promise<Submission> {
  const { interpreter: _, ...runOptions } = submission.template.runOptions;
  return {
    ...submission,
    template: { ...submission.template, runOptions },
    python: await describePython(executable),
  };
}

function withKernel(template: UserTemplate, kernelSpec: string): UserTemplate {
  return { ...template, executionTemplate: { ...template.executionTemplate, kernelSpec } };
}

/** @throws Problem if neither notebook nor template determines the kernel; its button chooses Python. */
export function assertKernelKnown(notebook: Notebook, submission: Submission, resubmit: Resubmit): void {
  const { kernelspec, language_info: language } = notebook.metadata;
  const known =
    submission.template.executionTemplate.kernelSpec !== undefined ||
    (isJsonObject(kernelspec) && (kernelspec['name'] ?? kernelspec['language']) !== undefined) ||
    (isJsonObject(language) && language['name'] !== undefined);
  if (!known) {
    throw new Problem(
      vscode.l10n.t('{0} does not say which kernel it needs.', `${nameOf(submission.source)}.ipynb`),
      [
        {
          label: vscode.l10n.t('Execute with Python'),
          run: () => resubmit({ ...submission, template: withKernel(submission.template, 'python3') }),
        },
      ],
    );
  }
}
