/** npm run manifest: writes the generated parts of package.json, which is the schema of templates. */
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { format } from 'prettier';
import { ROOT } from './paths';
import { runMain } from './setup';
import { templateItemSchema } from './template-schema';

interface Manifest {
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Record<string, { items?: object }> }[];
  };
}

async function main(): Promise<number> {
  const file = path.join(ROOT, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  for (const { properties } of manifest.contributes.configuration) {
    const templates = properties['notebookExecutions.templates'];
    if (templates !== undefined) templates.items = templateItemSchema();
  }
  await writeFile(file, await format(JSON.stringify(manifest), { filepath: file }));
  return 0;
}

runMain(main);
