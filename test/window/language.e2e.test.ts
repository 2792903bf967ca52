import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { ROOT } from '../support/paths';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

describe('in another language', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'dies.ipynb'), ['import os; os._exit(3)']);
    vscode = await VSCode.launch({ vsix: [await packagedExtension()], workspace });
    await translate(vscode.home);
    window = await vscode.openWindow();
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  it('shows all texts in that language, including why a kernel died', async () => {
    const pane = window.executionsPane();
    await window.activity('Notebook Executions').click();
    await pane.getByText('⟦No notebook has been executed yet.⟧').waitFor();
    await pane.getByRole('button', { name: '⟦Execute a Notebook Remotely⟧' }).waitFor();

    await window.chooseFromContextMenu(await window.explorerFile('dies.ipynb'), '⟦Execute Remotely…⟧');
    const row = window.quickPickRow('⟦This machine⟧');
    await row.waitFor();
    // The target, until its Python is known.
    assert.match(await row.innerText(), /^⟦This machine⟧(?:⟦On this machine⟧|\.venv \()/);
    await window.pick('⟦This machine⟧');

    await window.activity('Notebook Executions').click({ force: true });
    const why = '⟦The kernel died in cell 1.⟧ ⟦It ended with exit code 3.⟧';
    window.expectError(`⟦dies ⟦failed⟧. ${why}⟧`);
    await window.page.getByText(`⟦dies ⟦failed⟧. ${why}⟧`).first().waitFor();
    await window.execution('⟦dies ⟦failed⟧.⟧').waitFor();
    const description = await window.execution('⟦dies ⟦failed⟧.⟧').innerText();
    assert.match(description, /⟦kernel died⟧ · jetzt · /);
    await window.screenshot('another language');
  });
});

/** Switches this VS Code, whose own texts stay English, to German, with translations that mark each translated text. */
async function translate(home: string): Promise<void> {
  const user = path.join(home, 'user');
  const pack = path.join(home, 'pack.json');
  const json = (file: string, content: unknown): Promise<void> => writeFile(file, JSON.stringify(content));
  const identifier = { extensionIdentifier: { id: 'test.german' }, version: '1.0.0' };
  await json(pack, { contents: {} });
  await json(path.join(user, 'languagepacks.json'), {
    de: { hash: 'test', label: 'Deutsch', extensions: [identifier], translations: { vscode: pack } },
  });
  for (const folder of [user, path.join(user, 'User')])
    await json(path.join(folder, 'argv.json'), { locale: 'de' });
  const extensions = path.join(home, 'extensions');
  const own = (await readdir(extensions)).find((name) => name.startsWith('notebook-executions'));
  const place = path.join(extensions, own ?? '');
  await mkdir(path.join(place, 'l10n'), { recursive: true });
  const translated = async (file: string): Promise<[string, string][]> =>
    Object.entries(JSON.parse(await readFile(path.join(ROOT, file), 'utf8')) as Record<string, string>).map(
      // A button of an empty view is a separate line. The name of the view shows that a window is ready.
      ([key, text]) => [
        key,
        key === 'view.container' ? text : text.replaceAll(/^(\[)?(.+?)(\]\(\S+\))?$/gm, '$1⟦$2⟧$3'),
      ],
    );
  await json(
    path.join(place, 'package.nls.de.json'),
    Object.fromEntries(await translated('package.nls.json')),
  );
  await json(
    path.join(place, 'l10n/bundle.l10n.de.json'),
    Object.fromEntries(await translated('l10n/bundle.l10n.json')),
  );
}
