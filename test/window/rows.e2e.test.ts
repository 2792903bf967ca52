import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../support/examples';
import { until } from '../support/until';
import { VSCode } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

const WAITS = 'import pathlib, time\nwhile not pathlib.Path("go").exists(): time.sleep(0.05)';

/** A template with parameters, so that no parameters are requested, and with one that no notebook declares. */
const TEMPLATE = {
  name: 'With parameters',
  service: 'embedded',
  executionTemplate: { parameters: 'alpha: 0.5\nfolders: [raw, clean]\nlabel: "a: b"\n' },
  runOptions: { maxAttempts: 2 },
};

describe('the rows of executions in every state', () => {
  let workspace: string;
  let vscode: VSCode;
  let window: Workbench;

  before(async () => {
    workspace = await copyExamples();
    const write = (name: string, ...cells: string[]): Promise<void> =>
      writeNotebook(path.join(workspace, name), cells);
    await write('good.ipynb', 'print(alpha)');
    await write('bad.ipynb', '1', '1 / 0');
    await write('ended.ipynb', '1', WAITS);
    await write('waits.ipynb', '1', WAITS);
    await write('queued.ipynb', '1');
    vscode = await VSCode.launch({
      vsix: [await packagedExtension()],
      workspace,
      settings: {
        'notebookExecutions.openOutput': 'never',
        'notebookExecutions.notify': 'none',
        'notebookExecutions.maxConcurrentExecutions': 1,
        'notebookExecutions.templates': [TEMPLATE],
      },
    });
    window = await vscode.openWindow({ height: 1400 });
  });
  after(async () => {
    await vscode.stop();
    await removeWorkspace(workspace);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
  });

  /** Executes a notebook and waits for the text of its row. */
  async function execute(notebook: string, sentence: string): Promise<void> {
    await window.chooseFromContextMenu(await window.explorerFile(notebook), 'Execute Remotely');
    await window.pick(TEMPLATE.name);
    await window.pick('Execute');
    await window.openExecutions();
    await window.execution(sentence).first().waitFor();
  }

  it('expand with all their lines, without an error', async () => {
    await execute('good.ipynb', 'good succeeded');
    await execute('bad.ipynb', 'bad failed');
    await execute('ended.ipynb', 'ended is running. 2 of 3 cells done');
    await window.chooseFromContextMenu(window.execution('ended is running'), 'Cancel');
    await window.execution('ended was cancelled').waitFor();
    await execute('waits.ipynb', 'waits is running. 2 of 3 cells done');
    await execute('queued.ipynb', 'queued is');

    const folded = window.executionsPane().locator('.monaco-list-row[aria-expanded="false"]');
    const shown = async (): Promise<string> => (await window.executionRows()).join('\n');
    await until('every row is unfolded, and all lines are there', async () => {
      // Lines of a row appear a moment after it is expanded, and those of the last one may be collapsed.
      if ((await folded.count()) === 0) return (await shown()).match(/^label ?a: b$/gm)?.length === 5;
      await folded
        .first()
        .locator('.monaco-tl-twistie')
        .click({ timeout: 5000 })
        .catch(() => undefined);
      return false;
    });
    await until('all attempts are there', async () => (await shown()).includes('Attempt 1 of at most 2'));
    const rows = await shown();
    // Each of the five: its parameters, as in the notebook.
    assert.equal(rows.match(/^alpha ?0\.5$/gm)?.length, 5, rows);
    assert.equal(rows.match(/^folders ?\["raw","clean"\]$/gm)?.length, 5, rows);
    assert.equal(rows.match(/^label ?a: b$/gm)?.length, 5, rows);
    // The three that ended: the time of cells, or that there is no time.
    assert.equal(rows.match(/^Slowest Cells$/gm)?.length, 3, rows);
    assert.match(rows, /^[\d.]+ m?s ?Cell \d: print\(alpha\)$/m);
    assert.match(rows, /^Cell \d ?ZeroDivisionError: division by zero$/m);
    await window.screenshot('rows unfolded');
    await writeFile(path.join(workspace, 'go'), '');
    await window.execution('waits succeeded').waitFor();
    await window.execution('queued succeeded').waitFor();
    assert.deepEqual(window.unexpectedErrors(), []);
  });
});
