import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../support/paths';
import { templateItemSchema } from '../../support/template-schema';

interface Manifest {
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Readonly<Record<string, { items?: unknown }>> }[];
  };
}

it('the schema of templates in package.json is the generated one (npm run manifest)', () => {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const properties = manifest.contributes.configuration.map((group) => group.properties);
  const settings = Object.assign({}, ...properties) as (typeof properties)[number];
  assert.deepEqual(settings['notebookExecutions.templates']?.items, templateItemSchema());
});
