import { execFileSync } from 'node:child_process';
import { aptInstall, canAptInstall, say } from './setup';

/** True where R has its Jupyter kernel. */
export function hasIRkernel(): boolean {
  try {
    execFileSync('R', ['--slave', '-e', 'loadNamespace("IRkernel")'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Installs R and its Jupyter kernel where that can be done without asking; its tests fail elsewhere, and say what they need. */
export async function ensureIRkernel(): Promise<void> {
  if (!canAptInstall() || hasIRkernel()) return;
  say('Installing the Jupyter kernel of R …');
  await aptInstall(['r-cran-irkernel']);
}
