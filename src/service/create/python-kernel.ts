import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { KernelLaunch } from '../../protocol/runner-job';
import { homeOf } from '../../system/environment';
import { installedIpykernel, probePython } from '../../system/ipykernel';
import { activated, describePython } from '../../system/python-environment';

type Environment = Readonly<Record<string, string>>;

/**
 * How to start the ipykernel of an interpreter. In a virtual environment, the environment's programs come first on the
 * PATH, so that `!pip` runs the environment's pip.
 */
export async function pythonKernel(interpreter: string, env: Environment): Promise<KernelLaunch> {
  const python = await describePython(interpreter);
  const isVenv = python.kind === 'venv';
  return {
    name: interpreter,
    displayName: path.basename(isVenv ? (python.prefix ?? interpreter) : interpreter),
    language: 'python',
    argv: [interpreter, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
    interruptMode: 'signal',
    ...(takesCurve(await installedIpykernel(interpreter)) ? { supportedEncryption: ['curve'] } : {}),
    env: isVenv ? activated(python, env) : env,
  };
}

/** Whether this version of ipykernel takes CurveZMQ keys: 7.4 and later. */
function takesCurve(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 7 || (major === 7 && minor >= 4);
}

/**
 * The files and folders that decide what a Python kernel loads when it starts: the folders of its packages, and
 * IPython's configuration and start-up files.
 * @returns undefined if that is not known for this kernel; then it must not be started ahead.
 */
export async function filesLoadedBy(kernel: KernelLaunch): Promise<string[] | undefined> {
  const [command] = kernel.argv;
  if (command === undefined || !kernel.argv.includes('ipykernel_launcher')) return undefined;
  const probed = await probePython(command, kernel.env);
  if (probed?.ipykernel !== true) return undefined;
  const directory = kernel.env['IPYTHONDIR'] ?? path.join(homeOf(kernel.env), '.ipython');
  const profile = path.join(directory, 'profile_default');
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

/** A hash that changes when one of the files changes, or when one of the folders gets or loses an entry. */
export async function filesFingerprint(files: readonly string[]): Promise<string> {
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
