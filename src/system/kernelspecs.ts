import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as z from 'zod/mini';
import { homeOf, variablesOf } from './environment';
import { sysPrefix } from './ipykernel';
import { which } from './programs';
import { readSmallFile } from './small-file';

/** kernel.json (Jupyter client documentation, "Kernel specs"), with the defaults from there. */
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
  /** `sys.prefix` of the environment that contains it, if any. */
  readonly prefix: string | undefined;
  readonly content: z.infer<typeof KernelJsonSchema>;
}

/** Where to look for kernelspecs; replaced in tests. */
export interface KernelSearch {
  /** Environment of the kernel. */
  readonly env: Readonly<Record<string, string>>;
  /** Python environments to search, nearest first. */
  readonly prefixes: readonly string[];
  readonly platform?: NodeJS.Platform;
}

/** A Jupyter data directory with the Python environment it belongs to. */
interface DataDirectory {
  readonly directory: string;
  readonly prefix?: string;
}

/**
 * Jupyter's data paths, in order of precedence (jupyter_core, `jupyter_path`): JUPYTER_PATH, the Python environments,
 * the user's own, the system's.
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

/** Every kernelspec that can be read; of several with the same name the first. */
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
    // Missing or invalid: Jupyter ignores those too.
    return undefined;
  }
}

/** Names of the kernelspecs that are available with this interpreter and environment. */
export async function kernelNames(
  interpreter: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  return (await kernelsFor(interpreter, env)).specs.map(({ name }) => name);
}

/** The Pythons to use for a kernel, nearest first, and the kernelspecs found with them. */
export async function kernelsFor(
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
