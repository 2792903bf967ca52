import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import type { KernelLaunch } from '../runner/job';
import { homeOf, variablesOf } from '../system/environment';
import { hasIpykernel, sysPrefix } from '../system/ipykernel';
import { which } from '../system/programs';
import { pythonIn } from '../system/python-environment';
import { readSmallFile } from '../system/small-file';
import { pythonKernel } from './python';

/** kernel.json (Jupyter client documentation, "Kernel specs"); what is missing is as there. */
const KernelJsonSchema = z.object({
  argv: z.array(z.string()).check(z.minLength(1)),
  display_name: z._default(z.string(), ''),
  language: z._default(z.string(), ''),
  interrupt_mode: z._default(z.enum(['signal', 'message']), 'signal'),
  env: z._default(z.record(z.string(), z.string()), {}),
  metadata: z.optional(z.object({ supported_encryption: z.optional(z.unknown()) })),
});

/** A kernelspec that was found. */
export interface KernelSpec {
  /** Name of its folder, in lower case as Jupyter compares names. */
  readonly name: string;
  readonly directory: string;
  /** `sys.prefix` it belongs to, if it was found below one. */
  readonly prefix: string | undefined;
  readonly content: z.infer<typeof KernelJsonSchema>;
}

/** Where kernelspecs are looked for; injected by tests. */
export interface KernelSearch {
  /** Environment of the kernel. */
  readonly env: Readonly<Record<string, string>>;
  /** Python environments whose kernelspecs count, nearest first. */
  readonly prefixes: readonly string[];
  readonly platform?: NodeJS.Platform;
}

/** A Jupyter data directory with the Python environment it belongs to. */
interface DataDirectory {
  readonly directory: string;
  readonly prefix?: string;
}

/**
 * Jupyter's data paths, first found first taken (jupyter_core, `jupyter_path`): JUPYTER_PATH, the Python environments,
 * the person's own, the system's.
 */
export function jupyterDataPaths(search: KernelSearch): DataDirectory[] {
  const platform = search.platform ?? process.platform;
  const env = variablesOf(search.env, platform);
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const join = (...parts: string[]): string => paths.join(...parts);
  const home = homeOf(env, platform);
  const own =
    env['JUPYTER_DATA_DIR'] ??
    (platform === 'win32'
      ? join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'jupyter')
      : platform === 'darwin'
        ? join(home, 'Library', 'Jupyter')
        : join(env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'jupyter'));
  const system =
    platform === 'win32'
      ? [join(env['PROGRAMDATA'] ?? 'C:\\ProgramData', 'jupyter')]
      : ['/usr/local/share/jupyter', '/usr/share/jupyter'];
  const fromEnv = (env['JUPYTER_PATH'] ?? '').split(paths.delimiter).filter((each) => each !== '');
  return [
    ...fromEnv.map((directory) => ({ directory })),
    ...search.prefixes.map((prefix) => ({ directory: join(prefix, 'share', 'jupyter'), prefix })),
    { directory: own },
    ...system.map((directory) => ({ directory })),
  ];
}

/** Every kernelspec that can be read, one of each name. */
export async function findKernelSpecs(search: KernelSearch): Promise<KernelSpec[]> {
  const found = new Map<string, KernelSpec>();
  for (const { directory, prefix } of jupyterDataPaths(search)) {
    const kernels = path.join(directory, 'kernels');
    const names = await fs.readdir(kernels).catch((): string[] => []);
    const specs = await Promise.all(
      names.sort().map((name) => readKernelSpec(path.join(kernels, name), prefix)),
    );
    for (const spec of specs) if (spec !== undefined && !found.has(spec.name)) found.set(spec.name, spec);
  }
  return [...found.values()];
}

async function readKernelSpec(
  directory: string,
  prefix: string | undefined,
): Promise<KernelSpec | undefined> {
  try {
    const content = KernelJsonSchema.parse(
      JSON.parse(await readSmallFile(path.join(directory, 'kernel.json'))),
    );
    return { name: path.basename(directory).toLowerCase(), directory, prefix, content };
  } catch {
    // Not a kernelspec, or a broken one: Jupyter leaves those out too.
    return undefined;
  }
}

/** What decides about the kernel of an execution. */
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
 * interpreter takes the place of a Python kernelspec, except of one that `kernelSpec` asks for by its particular name.
 * Where Jupyter knows no Python kernel, `python3` on the kernel's PATH is taken.
 * @throws ServiceError FAILED_PRECONDITION: `kernelNotFound` (args `kernel`, `kernels`), `ipykernelMissing` or
 *   `interpreterNotFound` (args `interpreter`).
 */
export async function resolveKernel(request: KernelRequest): Promise<KernelLaunch> {
  const { env, interpreter } = request;
  const name = (request.kernelSpec ?? request.notebookKernel)?.toLowerCase();
  const language = request.notebookLanguage?.toLowerCase();
  const plain = name === undefined ? (language ?? 'python') === 'python' : PYTHON_NAMES.has(name);
  // The common case, for which nothing has to be looked for.
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
  // A name that is not plain is a particular one; only a notebook's gives way.
  if (interpreter !== undefined && isPython && request.kernelSpec === undefined)
    return interpreterKernel(interpreter, env);
  if (spec !== undefined) return launchOf(spec, env);
  if (isPython) {
    for (const python of pythons) {
      if (await hasIpykernel(python, env)) return pythonKernel(python, env);
    }
  }
  const kernels = specs.map((each) => each.name).join(', ');
  throw new ServiceError(
    'FAILED_PRECONDITION',
    'kernelNotFound',
    `no kernel ${name ?? language ?? 'python3'}; found: ${kernels === '' ? 'none' : kernels}`,
    { kernel: name ?? language ?? 'python3', kernels },
  );
}

/** Names of the kernelspecs that an execution with this interpreter and environment can be run with. */
export async function kernelNames(
  interpreter: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  return (await kernelsFor(interpreter, env)).specs.map(({ name }) => name);
}

/** The Pythons that count for a kernel, nearest first, and the kernelspecs that are found with them. */
async function kernelsFor(
  interpreter: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<{ pythons: string[]; specs: KernelSpec[] }> {
  const pythons = [interpreter, await which('python3', env), await which('python', env)].filter(
    (python) => python !== undefined,
  );
  const ofPythons = await Promise.all(pythons.map((python) => sysPrefix(python)));
  const prefixes = [env['VIRTUAL_ENV'], env['CONDA_PREFIX'], ...ofPythons];
  const specs = await findKernelSpecs({
    env,
    prefixes: [...new Set(prefixes.filter((each) => each !== undefined && each !== ''))] as string[],
  });
  return { pythons, specs };
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
  // A kernelspec within a Python environment that says just "python" means that environment's.
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

/** `${NAME}` in a kernelspec's env stands for that variable of the kernel's environment; an unknown one stays. */
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
