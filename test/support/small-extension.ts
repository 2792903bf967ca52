import { createVSIX } from '@vscode/vsce';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

/** An extension that a test sets beside ours. */
export interface SmallExtension {
  /** `publisher.name` */
  readonly id: string;
  /** CommonJS with `activate`. */
  readonly code: string;
  readonly activationEvents: readonly string[];
  /** What its manifest contributes. */
  readonly contributes?: object;
}

/** Packages it as a .vsix in this folder. */
export async function packageSmallExtension(extension: SmallExtension, folder: string): Promise<string> {
  const [publisher = '', name = ''] = extension.id.split('.');
  const packagePath = path.join(folder, `${extension.id}.vsix`);
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'nbx-extension-'));
  try {
    const manifest = {
      ...{ publisher, name, displayName: extension.id, version: '1.0.0', main: './extension.js' },
      ...{ engines: { vscode: '^1.100.0' }, activationEvents: extension.activationEvents },
      contributes: extension.contributes,
    };
    await writeFile(path.join(cwd, 'package.json'), JSON.stringify(manifest));
    await writeFile(path.join(cwd, 'extension.js'), extension.code);
    await writeFile(path.join(cwd, 'README.md'), 'For a test.');
    await createVSIX({
      cwd,
      packagePath,
      dependencies: false,
      allowMissingRepository: true,
      skipLicense: true,
    });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
  return packagePath;
}
