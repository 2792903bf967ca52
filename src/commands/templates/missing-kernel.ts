import type * as vscode from 'vscode';
import type { MachineService } from '../../execution/machine';
import type { UserTemplate } from '../../execution/templates/template';
import type { PythonEnvironment } from '../../system/python-environment';
import { kernelEnvironment } from '../../python/kernel-environment';
import { templatePython } from '../submission/submission';

/** Kernelspec names that every Python with ipykernel provides. */
const PYTHON_KERNEL = /^python[23]?$/i;

/**
 * The kernel of a template of this machine if that kernel is not installed. Undefined if it is installed, if the
 * template names none, or if the kernels cannot be listed.
 * @param python the Python that runs the notebook unless the template sets one.
 */
export async function missingKernel(
  template: UserTemplate,
  notebook: vscode.Uri,
  python: Promise<PythonEnvironment | undefined>,
  machine: Pick<MachineService, 'kernels'>,
): Promise<string | undefined> {
  const { kernelSpec } = template.executionTemplate;
  if (template.service !== 'embedded' || kernelSpec === undefined || PYTHON_KERNEL.test(kernelSpec))
    return undefined;
  try {
    const { environment = {} } = template.runOptions;
    const used = (await templatePython(template, notebook)) ?? (await python);
    const found = await machine.kernels(
      used?.executable,
      await kernelEnvironment(notebook, used, environment),
    );
    return found.includes(kernelSpec.toLowerCase()) ? undefined : kernelSpec;
  } catch {
    // This is only a hint in a list. The error is reported when the template is used.
    return undefined;
  }
}
