import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import { exists } from './programs';
import { prefixOf } from './python-environment';

const run = promisify(execFile);

/**
 * The Python environment (`sys.prefix`) of an interpreter, as determined from its path; undefined if it does not exist.
 */
export async function sysPrefix(
  interpreter: string,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const above = prefixOf(interpreter, platform);
  if (await exists(path.join(above, 'pyvenv.cfg'))) return above;
  return fs.realpath(interpreter).then(
    (real) => prefixOf(real, platform),
    () => undefined,
  );
}

/** Version of the ipykernel in the site-packages of an interpreter's environment, found without starting Python. */
export async function installedIpykernel(
  interpreter: string,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const prefix = await sysPrefix(interpreter, platform);
  if (prefix === undefined) return undefined;
  const libraries =
    platform === 'win32'
      ? [path.join(prefix, 'Lib')]
      : (await namesIn(path.join(prefix, 'lib')))
          .filter((name) => /^python\d/.test(name))
          .map((name) => path.join(prefix, 'lib', name));
  for (const library of libraries) {
    const packages = await namesIn(path.join(library, 'site-packages'));
    for (const name of packages) {
      const version = /^ipykernel-([\d.]+[^-]*)\.dist-info$/.exec(name)?.[1];
      if (version !== undefined && packages.includes('ipykernel_launcher.py')) return version;
    }
  }
  return undefined;
}

function namesIn(directory: string): Promise<string[]> {
  return fs.readdir(directory).catch((): string[] => []);
}

const ProbeSchema = z.object({ path: z.array(z.string()), ipykernel: z.boolean() });
const PROBE =
  'import sys,json,importlib.util as u;print(json.dumps({"path":sys.path,"ipykernel":u.find_spec("ipykernel_launcher") is not None}))';

/** Asks an interpreter for its `sys.path`, and whether it has ipykernel; takes about 30 ms. Undefined if that fails. */
export async function probePython(
  interpreter: string,
  env: NodeJS.ProcessEnv,
): Promise<z.infer<typeof ProbeSchema> | undefined> {
  try {
    // Python looks for modules in the current directory first. The interpreter's own directory contains no modules of
    // other users.
    const options = { env, cwd: path.dirname(interpreter), timeout: 20_000, windowsHide: true };
    const { stdout } = await run(interpreter, ['-c', PROBE], options);
    return ProbeSchema.parse(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

/** Whether an interpreter has ipykernel. */
export async function hasIpykernel(
  interpreter: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<boolean> {
  if ((await installedIpykernel(interpreter, platform)) !== undefined) return true;
  return (await probePython(interpreter, env))?.ipykernel === true;
}
