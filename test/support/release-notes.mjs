/*
 * node test/support/release-notes.mjs TAG: prints the section of CHANGELOG.md for the version of a tag (v1.2.3). Fails
 * if tag, package.json and changelog do not name the same version.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const tag = process.argv[2] ?? '';
const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
if (tag !== `v${version}`) {
  console.error(`The tag is ${tag}, but package.json has version ${version}.`);
  process.exit(1);
}
const changelog = await readFile(path.join(ROOT, 'CHANGELOG.md'), 'utf8');
const section = changelog.split(/^## /m).find((part) => part.startsWith(`[${version}]`));
if (section === undefined) {
  console.error(`CHANGELOG.md has no section [${version}].`);
  process.exit(1);
}
console.log(section.slice(section.indexOf('\n')).trim());
