import * as path from 'node:path';
import { isJsonObject } from './json';
import type { Notebook } from './model';

/** A kernel that runs a notebook. */
export interface RunningKernel {
  /** Name of its kernelspec, or the path of an interpreter that has none. */
  readonly name: string;
  readonly displayName: string;
  readonly language: string;
}

/**
 * Whether a notebook that names a kernelspec is run by the kernel it names. Any interpreter is `python3`, Jupyter's name for the
 * Python that is there; names are compared as Jupyter does, in lower case.
 */
export function isNamedBy(kernelspec: string, { name }: RunningKernel): boolean {
  const wanted = kernelspec.toLowerCase();
  return path.isAbsolute(name) ? ['python3', 'python'].includes(wanted) : name === wanted;
}

/** Makes `metadata.kernelspec` name the kernel that runs the notebook, where it names another or none. */
export function nameKernel({ metadata }: Notebook, kernel: RunningKernel): void {
  const { kernelspec } = metadata;
  const named = isJsonObject(kernelspec) ? kernelspec['name'] : undefined;
  if (typeof named === 'string' && isNamedBy(named, kernel)) return;
  const { name, displayName, language } = kernel;
  metadata['kernelspec'] = path.isAbsolute(name)
    ? { display_name: 'Python 3', language, name: 'python3' }
    : { display_name: displayName, language, name };
}
