import { hasIpykernel } from '../system/ipykernel';
import { programsOnPath } from '../system/programs';
import { describePython, type PythonEnvironment } from '../system/python-environment';

/** Python on the PATH: the first one that has ipykernel, else the first one. Undefined if there is none. */
export async function pythonOnPath(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<(PythonEnvironment & { readonly hasIpykernel: boolean }) | undefined> {
  // Python for Windows installs no python3.exe; Windows has a placeholder of that name that opens its store.
  const names = platform === 'win32' ? ['python', 'python3'] : ['python3', 'python'];
  let first: string | undefined;
  for await (const executable of programsOnPath(names, environment, platform)) {
    first ??= executable;
    if (await hasIpykernel(executable, environment, platform))
      return { ...(await describePython(executable, platform)), hasIpykernel: true };
  }
  return first === undefined
    ? undefined
    : { ...(await describePython(first, platform)), hasIpykernel: false };
}
