import type * as vscode from 'vscode';
import type { MachineService } from '../../execution/machine';
import type { UserTemplate } from '../../execution/template';
import type { PythonEnvironment } from '../../system/python-environment';
import { kernelEnvironment } from '../../python/kernel-environment';
import { templatePython } from '../submission/submission';

/** Any Python that can run notebooks has these. */
const PYTHON_KERNEL = /^python[23]?$/i;

/**
 * The kernel that a template of this machine names and that is not there; undefined where there is one, where none is named,
 * and where it cannot be found out.
 * @param python that runs the notebook where the template names none.
 */
export async function missingKernel(
  template: UserTemplate,
  notebook: vscode.Uri,
  python: Promise<PythonEnvironment | undefined>,
  kernels: MachineService['kernels'],
): Promise<string | undefined> {
  const { kernelSpec } = template.executionTemplate;
  if (template.service !== 'embedded' || kernelSpec === undefined || PYTHON_KERNEL.test(kernelSpec)) {
    return undefined;
  }
  try {
    const { environment = {} } = template.runOptions;
    const used = (await templatePython(template, notebook)) ?? (await python);
    const found = await kernels(used?.executable, await kernelEnvironment(notebook, used, environment));
    return found.includes(kernelSpec.toLowerCase()) ? undefined : kernelSpec;
  } catch {
    // It is only a mark in a list: what is wrong is told when the template is used.
    return undefined;
  }
}
