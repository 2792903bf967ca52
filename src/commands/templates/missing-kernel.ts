import type * as vscode from 'vscode';
import type { MachineService } from '../../execution/machine';
import type { UserTemplate } from '../../execution/template';
import { describePython } from '../../system/python-environment';
import { chosenPython } from '../python/chosen-python';
import { kernelEnvironment } from '../python/kernel-environment';
import { expandPath } from '../submission/submission';

/** Any Python that can run notebooks has these. */
const PYTHON_KERNEL = /^python[23]?$/i;

/**
 * The kernel that a template of this machine names and that is not there; undefined where there is one, where none is named,
 * and where it cannot be found out.
 */
export async function missingKernel(
  { service, executionTemplate, runOptions }: UserTemplate,
  notebook: vscode.Uri,
  kernels: MachineService['kernels'],
): Promise<string | undefined> {
  const { kernelSpec } = executionTemplate;
  if (service !== 'embedded' || kernelSpec === undefined || PYTHON_KERNEL.test(kernelSpec)) return undefined;
  try {
    const { interpreter, environment = {} } = runOptions;
    const python =
      interpreter === undefined
        ? await chosenPython(notebook)
        : await describePython(expandPath(interpreter, notebook));
    const found = await kernels(python?.executable, await kernelEnvironment(notebook, python, environment));
    return found.includes(kernelSpec.toLowerCase()) ? undefined : kernelSpec;
  } catch {
    // It is only a mark in a list: what is wrong is told when the template is used.
    return undefined;
  }
}
