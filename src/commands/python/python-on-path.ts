import * as path from 'node:path';
import { hasIpykernel } from './ipykernel';
import { pathOf } from './kernel-environment';
import { describePython, isExecutable, type PythonEnvironment } from './python-environment';

/** Python on the PATH: the first one that has ipykernel, else the first one. Undefined where there is none. */
export async function pythonOnPath(
  environment: NodeJS.ProcessEnv,
): Promise<(PythonEnvironment & { readonly hasIpykernel: boolean }) | undefined> {
  const names = process.platform === 'win32' ? ['python.exe', 'python3.exe'] : ['python3', 'python'];
  const directories = pathOf(environment)
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory));
  let first: string | undefined;
  for (const directory of directories) {
    for (const name of names) {
      const executable = path.join(directory, name);
      if (!(await isExecutable(executable))) {
        continue;
      }
      first ??= executable;
      if (await hasIpykernel(executable)) {
        return { ...(await describePython(executable)), hasIpykernel: true };
      }
      break;
    }
  }
  return first === undefined ? undefined : { ...(await describePython(first)), hasIpykernel: false };
}
