import { ServiceError } from '../../execution/errors';
import type { KernelLaunch } from '../../protocol/runner-job';
import { variablesOf } from '../../system/environment';
import { hasIpykernel } from '../../system/ipykernel';
import { kernelsFor, type KernelSpec } from '../../system/kernelspecs';
import { pythonIn } from '../../system/python-environment';
import { pythonKernel } from './python-kernel';

/** What decides which kernel runs an execution. */
export interface KernelRequest {
  /** `executionTemplate.kernelSpec` */
  readonly kernelSpec: string | undefined;
  /** `runOptions.interpreter` */
  readonly interpreter: string | undefined;
  /** `metadata.kernelspec.name` and the language of the notebook. */
  readonly notebookKernel: string | undefined;
  readonly notebookLanguage: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

const PYTHON_NAMES = new Set(['python3', 'python', 'python2']);

/**
 * The kernel to run a notebook with: `kernelSpec`, else the notebook's own, else the language's only kernel. A given
 * interpreter replaces a Python kernelspec, unless `kernelSpec` names a particular one. If no kernelspec fits and the
 * language is Python, the first Python with ipykernel is used: the interpreter, `python3` or `python` on the PATH.
 * @throws ServiceError FAILED_PRECONDITION: `kernelNotFound` (args `kernel`, `kernels`), `ipykernelMissing` or
 *   `interpreterNotFound` (args `interpreter`).
 */
export async function resolveKernel(request: KernelRequest): Promise<KernelLaunch> {
  const { env, interpreter } = request;
  const name = (request.kernelSpec ?? request.notebookKernel)?.toLowerCase();
  const language = request.notebookLanguage?.toLowerCase();
  const plain = name === undefined ? (language ?? 'python') === 'python' : PYTHON_NAMES.has(name);
  // The common case, which needs no search.
  if (interpreter !== undefined && plain) return interpreterKernel(interpreter, env);
  const { pythons, specs } = await kernelsFor(interpreter, env);
  const ofLanguage = specs.filter((spec) => spec.content.language.toLowerCase() === language);
  const spec =
    specs.find((each) => each.name === name) ??
    (request.kernelSpec === undefined ? only(ofLanguage) : undefined);
  const isPython =
    spec === undefined
      ? name === undefined ||
        PYTHON_NAMES.has(name) ||
        (request.kernelSpec === undefined && language === 'python')
      : spec.content.language.toLowerCase() === 'python';
  // The interpreter replaces any Python kernel that the notebook names, but none that `kernelSpec` names.
  if (interpreter !== undefined && isPython && request.kernelSpec === undefined)
    return interpreterKernel(interpreter, env);
  if (spec !== undefined) return launchOf(spec, env);
  if (isPython)
    for (const python of pythons) if (await hasIpykernel(python, env)) return pythonKernel(python, env);
  const kernels = specs.map((each) => each.name).join(', ');
  throw new ServiceError(
    'FAILED_PRECONDITION',
    'kernelNotFound',
    `no kernel ${name ?? language ?? 'python3'}; found: ${kernels === '' ? 'none' : kernels}`,
    { kernel: name ?? language ?? 'python3', kernels },
  );
}

async function interpreterKernel(
  interpreter: string,
  env: Readonly<Record<string, string>>,
): Promise<KernelLaunch> {
  if (await hasIpykernel(interpreter, env)) return pythonKernel(interpreter, env);
  const message = `${interpreter} has no ipykernel`;
  throw new ServiceError('FAILED_PRECONDITION', 'ipykernelMissing', message, { interpreter });
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function launchOf(spec: KernelSpec, env: Readonly<Record<string, string>>): KernelLaunch {
  const { content, prefix } = spec;
  const [command = '', ...rest] = content.argv;
  // A kernelspec within a Python environment that says just "python" means the Python of that environment.
  const own = prefix !== undefined && /^python3?(?:\.exe)?$/.test(command) ? pythonIn(prefix) : command;
  const encryption = content.metadata?.supported_encryption;
  return {
    name: spec.name,
    displayName: content.display_name === '' ? spec.name : content.display_name,
    language: content.language,
    argv: [own, ...rest],
    resourceDir: spec.directory,
    interruptMode: content.interrupt_mode,
    ...(encryption === undefined ? {} : { supportedEncryption: strings(encryption) }),
    env: { ...env, ...variablesOf(substitute(content.env, env)) },
  };
}

function strings(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}

/** Replaces `${NAME}` and `$NAME` in a kernelspec's env by variables of the kernel's environment; unknown ones stay. */
function substitute(
  values: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.replaceAll(
        /\$\{(\w+)\}|\$(\w+)/g,
        (all, braced?: string, bare?: string) => env[braced ?? bare ?? ''] ?? all,
      ),
    ]),
  );
}
