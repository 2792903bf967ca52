import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { ROOT } from '../../support/paths';

/** Folders whose texts are shown to users. */
const ROOMS = ['extension.ts', 'backends', 'commands', 'tracking', 'views'];

/** Properties whose text the editor shows. */
const SHOWN = new Set([
  'description',
  'detail',
  'label',
  'message',
  'openLabel',
  'placeHolder',
  'placeholder',
  'prompt',
  'saveLabel',
  'title',
  'tooltip',
]);

/** Properties of the manifest. */
const SHOWN_OF_MANIFEST = new Set([
  'altText',
  'category',
  'contents',
  'contextualTitle',
  'displayName',
  'enumDescriptions',
  'label',
  'markdownDescription',
  'title',
]);

/** Calls whose texts are shown. */
const SHOWING =
  /^(?:show(?:Information|Warning|Error)Message|setStatusBarMessage|createOutputChannel|Problem)$/;

/** Calls whose texts are for logs and programs: the interface shows these errors with its own messages. */
const TECHNICAL =
  /^(?:Error|TypeError|ServiceError|ParametersError|NotStartedError|log|say|debug|info|warn|error|#?report|attempt|RegExp)$/;

/** Strings that look like texts for users and are not. */
const EXEMPT = new Set([
  // Written to the log.
  String.raw`'\ncaused by: '`,
  // Names the built-in template in settings and executions; its label is translated, see wording/names.ts.
  "'This machine'",
  // Parts of a contextValue.
  "'detail failedCell hasInput'",
  "'serviceError hanging'",
]);
/** Programs that are run, and filters that services parse. */
const PROGRAM = /^["'`](?:for script in|import importlib|\(\$\{quoted\} OR )/;

/** Whether it is a text for users: it has a letter outside the icons of VS Code. */
const hasWords = (text: string): boolean => /\p{L}/u.test(text.replaceAll(/\$\([\w~-]+\)/g, ''));
/** Several words, unlike an identifier, path or format. */
const isSentence = (text: string): boolean => /\p{L}{2,}[,;:]? \p{L}{2,}/u.test(text);

/** Texts of this source that users see and that cannot be translated. */
function untranslated(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, shown: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    const pieces = textsOf(node);
    if (pieces.some((piece) => (shown && hasWords(piece)) || isSentence(piece))) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const code = node.getText();
      if (!EXEMPT.has(code) && !PROGRAM.test(code)) found.push(`${name}:${String(line + 1)} ${code}`);
      return;
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const callee = node.expression.getText().replace(/^.*\./, '');
      if (node.expression.getText().endsWith('l10n.t') || TECHNICAL.test(callee)) return;
      visit(node.expression, false);
      const own = SHOWING.test(callee);
      node.arguments?.forEach((argument) => {
        visit(argument, own && !ts.isObjectLiteralExpression(argument));
      });
      return;
    }
    ts.forEachChild(node, (child) => {
      visit(child, childIsShown(node, child, shown));
    });
  };
  visit(source, false);
  return found;
}

/** The fixed parts of a literal. */
function textsOf(node: ts.Node): string[] {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  return ts.isTemplateExpression(node)
    ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
    : [];
}

/** Whether the value of `child` is shown as text. */
function childIsShown(node: ts.Node, child: ts.Node, shown: boolean): boolean {
  if (ts.isPropertyAssignment(node)) return child === node.initializer && SHOWN.has(node.name.getText());
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind === ts.SyntaxKind.EqualsToken
      ? child === node.right && ts.isPropertyAccessExpression(node.left) && SHOWN.has(node.left.name.text)
      : shown && (kind === ts.SyntaxKind.PlusToken || kind === ts.SyntaxKind.QuestionQuestionToken);
  }
  if (ts.isConditionalExpression(node)) return shown && child !== node.condition;
  return (
    shown && (ts.isParenthesizedExpression(node) || ts.isAwaitExpression(node) || ts.isAsExpression(node))
  );
}

function files(room: string): string[] {
  const place = path.join(ROOT, 'src', room);
  return room.endsWith('.ts')
    ? [place]
    : readdirSync(place, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => path.join(place, file));
}

describe('texts of the interface', () => {
  it('can all be translated', () => {
    const all = ROOMS.flatMap(files);
    assert.ok(all.length > 40);
    assert.deepEqual(
      all.flatMap((file) => untranslated(path.relative(ROOT, file), readFileSync(file, 'utf8'))),
      [],
    );
  });

  it('are stored in records as codes, from the code that records how a run ended', () => {
    const all = files('runner').filter((file) => path.dirname(file).endsWith('runner'));
    for (const folder of ['attempts', 'runners']) all.push(...files(`service/${folder}`));
    all.push(...files('service/executions/record.ts'), ...files('service/executions/attempt-files.ts'));
    assert.deepEqual(
      all.flatMap((file) => untranslated(path.relative(ROOT, file), readFileSync(file, 'utf8'))),
      [],
    );
  });

  it('are found when they are not translated', () => {
    for (const code of [
      "vscode.window.showErrorMessage('Failed');",
      "void window.showInformationMessage(ok ? 'Done' : vscode.l10n.t('Not done'));",
      "const pick = { placeHolder: 'Choose' };",
      'item.tooltip = `Runs on ${host}`;',
      "throw new Problem('No notebook');",
      "function sentence() { return 'There is no notebook'; }",
      "this.stop('hostLost', 'The runner was ended');",
      "reporter.enter('FAILED', { cause, message: `More than ${bytes} bytes were in use` });",
      "const rows = [{ name: 'This row', label: 'Row' }].map(({ label }) => new Row(label));",
    ])
      assert.ok(untranslated('example.ts', code).length > 0, code);
    for (const code of [
      "vscode.window.showErrorMessage(vscode.l10n.t('Failed'));",
      "const item = { label: '$(check)', kind: 'separator' };",
      "throw new Error('the stream ended early');",
      "log.info('a window was opened');",
    ])
      assert.deepEqual(untranslated('example.ts', code), [], code);
  });

  it('are in l10n/bundle.l10n.json, for translators, each of them and no other', async () => {
    const program = path.join(ROOT, 'test/support/l10n.mjs');
    await promisify(execFile)(process.execPath, [program, '--check'], { cwd: ROOT });
  }).timeout(60_000);

  it('of the manifest are in package.nls.json', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const found: string[] = [];
    const visit = (value: unknown, keys: readonly string[]): void => {
      if (typeof value === 'object' && value !== null) {
        // Text that a snippet inserts is not translated.
        for (const [key, each] of Object.entries(value)) if (key !== 'body') visit(each, [...keys, key]);
      } else if (
        typeof value === 'string' &&
        keys.some((key) => SHOWN_OF_MANIFEST.has(key)) &&
        !/^%.*%$/.test(value)
      ) {
        found.push(`${keys.join('.')}: ${value}`);
      }
    };
    const { contributes, displayName, description, capabilities } = manifest;
    visit({ contributes, displayName, description, capabilities }, []);
    assert.deepEqual(found, []);
  });
});
