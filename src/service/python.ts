import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import { exists } from './files';
import type { KernelLaunch } from '../runner/job';

const run = promisify(execFile);

type Environment = Readonly<Record<string, string>>;

/** The Python environment (`sys.prefix`) that an interpreter belongs to, as far as its path tells. */
export async function sysPrefix(interpreter: string | undefined): Promise<string | undefined> {
  if (interpreter === undefined) return undefined;
  const above = prefixOf(interpreter);
  if (await exists(path.join(above, 'pyvenv.cfg'))) return above;
  return fs.realpath(interpreter).then(
    (real) => prefixOf(real),
    () => undefined,
  );
}

/** The environment that the path of an interpreter names. */
export function prefixOf(interpreter: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'win32') return path.posix.dirname(path.posix.dirname(interpreter));
  const directory = path.win32.dirname(interpreter);
  // Windows has python.exe in the prefix itself (conda, python.org) or in Scripts (venv).
  return path.win32.basename(directory).toLowerCase() === 'scripts'
    ? path.win32.dirname(directory)
    : directory;
}

/** Version of the ipykernel in an environment's own site-packages, found without starting Python. */
async function installedIpykernel(prefix: string): Promise<string | undefined> {
  const libraries =
    process.platform === 'win32'
      ? [path.join(prefix, 'Lib')]
      : (await fs.readdir(path.join(prefix, 'lib')).catch((): string[] => []))
          .filter((name) => /^python\d/.test(name))
          .map((name) => path.join(prefix, 'lib', name));
  for (const library of libraries) {
    const packages = await fs.readdir(path.join(library, 'site-packages')).catch((): string[] => []);
    for (const name of packages) {
      const version = /^ipykernel-([\d.]+[^-]*)\.dist-info$/.exec(name)?.[1];
      if (version !== undefined && packages.includes('ipykernel_launcher.py')) return version;
    }
  }
  return undefined;
}

const ProbeSchema = z.object({ path: z.array(z.string()), ipykernel: z.boolean() });
const PROBE =
  'import sys,json,importlib.util as u;print(json.dumps({"path":sys.path,"ipykernel":u.find_spec("ipykernel_launcher") is not None}))';

/** Asks the interpreter itself, which takes some 30 ms. */
async function probe(
  interpreter: string,
  env: Environment,
): Promise<z.infer<typeof ProbeSchema> | undefined> {
  try {
    const { stdout } = await run(interpreter, ['-c', PROBE], { env, cwd: os.tmpdir(), timeout: 20_000 });
    return ProbeSchema.parse(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

/** Whether an interpreter can run notebooks. */
export async function hasIpykernel(interpreter: string, env: Environment): Promise<boolean> {
  const prefix = await sysPrefix(interpreter);
  if (prefix !== undefined && (await installedIpykernel(prefix)) !== undefined) return true;
  return (await probe(interpreter, env))?.ipykernel === true;
}

/**
 * How to start the ipykernel of an interpreter. In a virtual environment its commands come first on the PATH, so that
 * `!pip` is the environment's own.
 */
export async function pythonKernel(interpreter: string, env: Environment): Promise<KernelLaunch> {
  const prefix = await sysPrefix(interpreter);
  const isVenv = prefix !== undefined && (await exists(path.join(prefix, 'pyvenv.cfg')));
  const version = prefix === undefined ? undefined : await installedIpykernel(prefix);
  return {
    name: interpreter,
    displayName: isVenv ? path.basename(prefix) : path.basename(interpreter),
    language: 'python',
    argv: [interpreter, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
    interruptMode: 'signal',
    ...(takesCurve(version) ? { supportedEncryption: ['curve'] } : {}),
    env: isVenv ? activated(prefix, path.dirname(interpreter), env) : env,
  };
}

/** ipykernel 7.4 and later. */
function takesCurve(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 7 || (major === 7 && minor >= 4);
}

function activated(prefix: string, commands: string, env: Environment): Record<string, string> {
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const entries = (env[pathName] ?? '')
    .split(path.delimiter)
    .filter((each) => each !== '' && each !== commands);
  const { PYTHONHOME: _, ...rest } = env;
  return { ...rest, VIRTUAL_ENV: prefix, [pathName]: [commands, ...entries].join(path.delimiter) };
}

/**
 * The files and folders that decide what a Python kernel loads when it starts: where its packages are, and IPython's
 * configuration and start-up files.
 * @returns undefined for a kernel of which that cannot be known; it must not be started ahead.
 */
export async function filesLoadedBy(kernel: KernelLaunch): Promise<string[] | undefined> {
  const [command] = kernel.argv;
  if (command === undefined || !kernel.argv.includes('ipykernel_launcher')) return undefined;
  const probed = await probe(command, kernel.env);
  if (probed?.ipykernel !== true) return undefined;
  const home = kernel.env['HOME'] ?? kernel.env['USERPROFILE'] ?? os.homedir();
  const profile = path.join(kernel.env['IPYTHONDIR'] ?? path.join(home, '.ipython'), 'profile_default');
  const startup = path.join(profile, 'startup');
  const scripts = await fs.readdir(startup).catch((): string[] => []);
  return [
    ...probed.path.filter((each) => path.isAbsolute(each)),
    path.join(profile, 'ipython_config.py'),
    path.join(profile, 'ipython_kernel_config.py'),
    startup,
    ...scripts.map((script) => path.join(startup, script)),
  ];
}

/** Changes when one of the files changed, or something was added to or removed from one of the folders. */
export async function fingerprintOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map((file) =>
      fs.stat(file).then(
        (stat) => `${file} ${stat.ino} ${stat.mtimeMs} ${stat.isFile() ? stat.size : ''}`,
        () => `${file} -`,
      ),
    ),
  );
  return createHash('sha256').update(states.join('\n')).digest('hex');
}
