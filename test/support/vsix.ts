import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { RESULTS, ROOT } from './paths';
import { runStep, say } from './setup';

/** Path of the packaged extension, which window tests install. */
export const VSIX = path.join(RESULTS, 'extension.vsix');

/** Packages the extension for this platform as {@link VSIX}. */
export async function packageExtension(): Promise<string> {
  say('Packaging the extension …');
  await runStep(process.execPath, [path.join(ROOT, 'test/support/package.mjs'), '--out', VSIX], {
    cwd: ROOT,
    remedy: 'Mend the error above and run this again.',
  });
  return VSIX;
}

/** Returns {@link VSIX}. Packages it if `npm test` has not done so, for example if a window test runs alone. */
export async function packagedExtension(): Promise<string> {
  return existsSync(VSIX) ? VSIX : packageExtension();
}
