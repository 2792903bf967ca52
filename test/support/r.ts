import { execFileSync } from 'node:child_process';
import { aptInstall, canAptInstall, say } from './setup';

/** Whether R and its Jupyter kernel are installed. */
export function hasIRkernel(): boolean {
  try {
    execFileSync('R', ['--slave', '-e', 'loadNamespace("IRkernel")'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Installs R and its Jupyter kernel, on Debian as root. Elsewhere its tests fail and say what is missing. */
export async function ensureIRkernel(): Promise<void> {
  if (!canAptInstall() || hasIRkernel()) return;
  say('Installing the Jupyter kernel of R …');
  await aptInstall(['r-cran-irkernel']);
}
