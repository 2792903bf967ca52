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
 * Whether a running kernel is the one that a notebook's kernelspec names. `python3` is Jupyter's name for the current
 * Python, so it matches any interpreter. Names are compared in lower case, like in Jupyter.
 */
export function isNamedBy(kernelspec: string, { name }: RunningKernel): boolean {
  const wanted = kernelspec.toLowerCase();
  return path.isAbsolute(name) ? ['python3', 'python'].includes(wanted) : name === wanted;
}

/** Sets `metadata.kernelspec` to the kernel that runs the notebook, unless it names that kernel already. */
export function nameKernel({ metadata }: Notebook, kernel: RunningKernel): void {
  const { kernelspec } = metadata;
  const named = isJsonObject(kernelspec) ? kernelspec['name'] : undefined;
  if (typeof named === 'string' && isNamedBy(named, kernel)) return;
  const { name, displayName, language } = kernel;
  metadata['kernelspec'] = path.isAbsolute(name)
    ? { display_name: 'Python 3', language, name: 'python3' }
    : { display_name: displayName, language, name };
}
