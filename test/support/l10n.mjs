/*
 * node test/support/l10n.mjs [--check]
 *
 * Writes l10n/bundle.l10n.json with every text of the code that can be translated. Translations are in
 * `bundle.l10n.<language>.json` beside it. --check fails if the file is outdated.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILE = path.join(ROOT, 'l10n/bundle.l10n.json');

/** The texts of `l10n.t(…)` in a source. VS Code looks them up by the text, so they must be plain literals. */
function textsOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const texts = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && /(?:^|\.)l10n\.t$/.test(node.expression.getText(tree))) {
      const [text] = node.arguments;
      if (text === undefined || !ts.isStringLiteralLike(text))
        throw new Error(`${file}: ${node.getText(tree)} is no plain text`);
      texts.push(text.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return texts;
}

const names = await readdir(path.join(ROOT, 'src'), { recursive: true });
const files = names.filter((name) => name.endsWith('.ts')).map((name) => path.join(ROOT, 'src', name));
const texts = await Promise.all(files.map(async (file) => textsOf(file, await readFile(file, 'utf8'))));
const sorted = [...new Set(texts.flat())].sort();
const bundle = `${JSON.stringify(Object.fromEntries(sorted.map((text) => [text, text])), undefined, 2)}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8').catch(() => '')) !== bundle) {
    console.error('l10n/bundle.l10n.json is out of date: run node test/support/l10n.mjs.');
    process.exitCode = 1;
  }
} else {
  await mkdir(path.dirname(FILE), { recursive: true });
  await writeFile(FILE, bundle);
  console.log(`${String(sorted.length)} texts`);
}
