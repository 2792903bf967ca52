import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';
import { ROOT } from '../../support/paths';

/*
 * VS Code renders `[text](command:…)` in a notification as a link that runs the command. Any text in a notification
 * that is not fixed must pass through `withoutLinks`. Modal dialogs render no links.
 */

const SHOWING = /^show(?:Information|Warning|Error)Message$/;

/** Expressions of this source that are shown in notifications and may contain links from other sources. */
function mayMakeLinks(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const check = (shown: ts.Expression): void => {
    if (isSafe(shown)) return;
    const { line } = source.getLineAndCharacterOfPosition(shown.getStart());
    found.push(`${name}:${String(line + 1)} ${shown.getText()}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText().replace(/^[^]*\./, '');
      const [first, second] = node.arguments;
      const isModal = second !== undefined && ts.isObjectLiteralExpression(second);
      if (SHOWING.test(callee) && first !== undefined && !isModal) check(first);
      if (callee === 'withProgress' && first !== undefined && ts.isObjectLiteralExpression(first)) {
        const title = first.properties.find((property) => property.name?.getText() === 'title');
        if (title !== undefined && ts.isPropertyAssignment(title)) check(title.initializer);
        else if (title !== undefined && ts.isShorthandPropertyAssignment(title)) check(title.name);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether it is a fixed text, a length of a list in one, or a result of `withoutLinks`. */
function isSafe(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isSafe(node.expression);
  if (ts.isConditionalExpression(node)) return isSafe(node.whenTrue) && isSafe(node.whenFalse);
  if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return true;
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'length';
  if (ts.isIdentifier(node)) {
    const initializer = initializerOf(node);
    return initializer !== undefined && isSafe(initializer);
  }
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression.getText();
  return callee === 'withoutLinks' || (callee.endsWith('l10n.t') && node.arguments.every(isSafe));
}

/** The initial value of the constant of this name, in the nearest block that declares it. */
function initializerOf(name: ts.Identifier): ts.Expression | undefined {
  for (let scope: ts.Node = name.parent; ; scope = scope.parent) {
    if (ts.isBlock(scope) || ts.isSourceFile(scope)) {
      for (const statement of scope.statements) {
        if (!ts.isVariableStatement(statement)) continue;
        const found = statement.declarationList.declarations.find(
          (each) => each.name.getText() === name.text,
        );
        if (found !== undefined) return found.initializer;
      }
    }
    if (ts.isSourceFile(scope)) return undefined;
  }
}

describe('notifications', () => {
  it('create no links from text of notebooks and services', () => {
    const folder = path.join(ROOT, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const found = files.flatMap((file) => mayMakeLinks(file, readFileSync(path.join(folder, file), 'utf8')));
    assert.deepEqual(found, []);
  });

  it('that would create links are found', () => {
    for (const code of [
      'vscode.window.showErrorMessage(error.message);',
      "void vscode.window.showInformationMessage(vscode.l10n.t('{0} ended.', name), open);",
      "const text = vscode.l10n.t('{0} ended.', name); vscode.window.showErrorMessage(text);",
      "window.showErrorMessage(ok ? vscode.l10n.t('Done.') : reason);",
      "vscode.window.withProgress({ title: vscode.l10n.t('Saving {0}', name) }, save);",
      'vscode.window.withProgress({ location, title }, save);',
    ])
      assert.equal(mayMakeLinks('example.ts', code).length, 1, code);
    for (const code of [
      "vscode.window.showErrorMessage(vscode.l10n.t('Failed.'));",
      "vscode.window.showErrorMessage(withoutLinks(vscode.l10n.t('{0} ended.', name)));",
      "vscode.window.showInformationMessage(vscode.l10n.t('{0} ended.', all.length));",
      'vscode.window.showWarningMessage(question, { modal: true }, yes);',
      "const title = vscode.l10n.t('Deleting'); vscode.window.withProgress({ location, title }, clean);",
    ])
      assert.deepEqual(mayMakeLinks('example.ts', code), [], code);
  });
});
