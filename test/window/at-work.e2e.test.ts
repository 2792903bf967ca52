import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { writeNotebook } from '../support/examples';
import { executeFromExplorer } from '../support/main-job';
import { until } from '../support/until';
import type { Workbench } from '../support/workbench';
import { suiteOfWindow } from './suite';

/** Signals its start, and continues when a file `go` appears in the workspace. */
const WAITS = [
  "import pathlib\npathlib.Path('began').touch()",
  "import time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)",
  "print('it went on')",
];
const NUMBERS = Array.from({ length: 60 }, (_, index) => String(index));

describe('a user who is working while executions end', () => {
  let workspace: string;
  let window: Workbench;

  before(async () => {
    workspace = await mkdtemp(path.join(os.tmpdir(), 'nbx-workspace-'));
  });
  beforeEach(async () => {
    for (const name of ['began', 'go']) await rm(path.join(workspace, name), { force: true });
    await writeNotebook(path.join(workspace, 'waits.ipynb'), WAITS);
    await writeFile(path.join(workspace, 'notes.txt'), '');
  });
  after(() => rm(workspace, { recursive: true, force: true }));
  const runOptions = { timeout: 21600, maxAttempts: 3, writeBack: true };
  const settings = {
    'files.autoSave': 'off',
    'editor.quickSuggestions': { other: 'off' },
    'notebookExecutions.templates': [
      { name: 'Nightly', service: 'embedded', runOptions },
      { name: 'Elsewhere', service: 'embedded', executionTemplate: { kernelSpec: 'no-such-kernel' } },
    ],
  };
  suiteOfWindow(
    () => Promise.resolve({ workspace, settings }),
    (parts) => {
      ({ window } = parts);
    },
  );

  const isRunning = () => until('it runs', () => existsSync(path.join(workspace, 'began')));
  const letEnd = () => writeFile(path.join(workspace, 'go'), '');

  /** Types numbers, lets the execution end meanwhile, and keeps typing until the end is reported. */
  async function typeWhileItEnds(): Promise<string> {
    let text = '';
    const type = async (word: string): Promise<void> => {
      text += `${word} `;
      await window.page.keyboard.type(`${word} `);
    };
    const state = { isTold: false };
    // Waits from now on, because the notification is visible for only some seconds.
    const told = window
      .notification('waits succeeded')
      .first()
      .waitFor()
      .finally(() => {
        state.isTold = true;
      });
    for (const number of NUMBERS.slice(0, 5)) await type(number);
    await letEnd();
    for (const number of NUMBERS.slice(5)) await type(number);
    while (!state.isTold) await type('x');
    await told;
    await type('end');
    return text;
  }

  // The first test, because the view is empty only before the first execution.
  it('executes from the empty view and the palette, without an open notebook', async () => {
    await window.openExecutions();
    await window.executionsPane().getByRole('button', { name: 'Execute a Notebook Remotely' }).click();
    await window.quickPickRow('waits.ipynb').waitFor();
    await window.screenshot('at work 7 pick of notebooks');
    await window.page.keyboard.press('Escape');
    await window.runCommand('Notebook Executions: Execute Remotely…');
    await window.quickPickRow('Example Notebook').waitFor();
    await letEnd();
    await window.pick('waits.ipynb');
    await window.quickPickRow('There is no kernel “no-such-kernel” on this machine.').waitFor();
    await window.quickPickRow('at most 6 h · up to 3 attempts · writes outputs back').waitFor();
    await window.screenshot('at work 8 templates');
    await window.pickLabel('Nightly');
    await window.notification('The outputs were written into waits.ipynb.').waitFor();
    await window.screenshot('at work 9 written back');
  });

  it('keeps everything typed into a file, and is offered the output', async () => {
    await executeFromExplorer(window, 'waits.ipynb');
    await isRunning();
    await (await window.explorerFile('notes.txt')).dblclick();
    await window.tab('notes.txt').waitFor();
    await window.page.locator('.editor-instance .monaco-editor .view-lines').click();
    const typed = await typeWhileItEnds();
    await window.screenshot('at work 1 typing into a file');
    await window.page.keyboard.press('Control+s');
    const file = path.join(workspace, 'notes.txt');
    assert.equal(await until('it is saved', async () => (await readFile(file, 'utf8')) || undefined), typed);
    assert.equal(await window.tab('(output)').count(), 0);
    await window.answerNotification('waits succeeded', 'Open Output');
    await window.tab('waits.ipynb (output)').waitFor();
    await window.outputs().getByText('it went on').waitFor();
  });

  it('keeps everything typed into the notebook itself', async () => {
    await (await window.explorerFile('waits.ipynb')).dblclick();
    await executeFromExplorer(window, 'waits.ipynb');
    await isRunning();
    const cell = window.notebook().locator('.code-cell-row .monaco-editor .view-lines').first();
    await cell.click();
    await window.page.keyboard.press('Control+End');
    await window.page.keyboard.press('Enter');
    await window.page.keyboard.type('# ');
    const typed = await typeWhileItEnds();
    await window.screenshot('at work 2 typing into the notebook');
    await window.page.keyboard.press('Control+s');
    const saved = await until('it is saved', async () => {
      const text = await readFile(path.join(workspace, 'waits.ipynb'), 'utf8');
      return text.includes('# 0') ? text : undefined;
    });
    assert.ok(saved.includes(`# ${typed.trimEnd()}`), saved.slice(0, 600));
    assert.equal(await window.tab('(output)').count(), 0);
  });

  it('is shown the output in an open notebook without new edits', async () => {
    await (await window.explorerFile('waits.ipynb')).dblclick();
    await executeFromExplorer(window, 'waits.ipynb');
    await isRunning();
    await letEnd();
    await window.tab('waits.ipynb (output)').waitFor();
    assert.deepEqual(await window.notifications(), []);
  });

  it('gets one summary for a folder, with the failures, and no tab', async () => {
    const folder = path.join(workspace, 'reports');
    await mkdir(folder);
    for (let month = 1; month <= 5; month++) {
      await writeNotebook(path.join(folder, `month-${String(month)}.ipynb`), [
        month % 3 === 2 ? '{}["sales"]' : 'print("fine")',
      ]);
    }
    await window.chooseFromContextMenu(
      await window.explorerFile('reports'),
      'Execute Whole Folder Remotely…',
    );
    await window.pickLabel('This machine');
    await window.answerDialog('Execute');
    const told = window.notification(/5 executions ended: 3 succeeded, 2 failed: month-\d, month-\d\./);
    await told.waitFor();
    await window.screenshot('at work 3 a folder has ended');
    assert.equal(await window.page.locator('.tabs-container .tab').count(), 0);
    const about = (await window.notifications()).filter((text) => text.includes('month-'));
    assert.equal(about.length, 1, about.join('\n'));
    await window.answerNotification(/5 executions ended/, 'Show Failed…');
    await window.quickPickRow('month-5').waitFor();
    await window.screenshot('at work 4 what failed');
    await window.pick('month-5');
    await window.outputs().getByText('KeyError').first().waitFor();
  });

  /** Executes a notebook whose long cell fails, and waits until that is reported. */
  async function executeFailing(...after: string[]): Promise<void> {
    const long = Array.from({ length: 90 }, (_, line) => `step_${String(line)} = ${String(line)}`);
    const failing = [...long, "{'north': 1}['south']"].join('\n');
    const file = path.join(workspace, 'fails.ipynb');
    await writeNotebook(file, ["print('before')", failing, ...after]);
    await executeFromExplorer(window, 'fails.ipynb');
    await window.notification('fails failed. Cell 2 failed: KeyError').waitFor();
  }
  /** Whether an element is visible within the notebook editor. */
  const isInSight = async (text: string): Promise<boolean> => {
    const box = await window.outputs().getByText(text).first().boundingBox();
    const view = await window.notebook().boundingBox();
    return box !== null && view !== null && box.y > view.y && box.y + box.height < view.y + view.height;
  };

  for (const [what, after] of [
    ['followed by others', ["print('after')", "print('more')"]],
    ['which is the last', []],
  ] as const) {
    it(`sees the traceback of a long cell, ${what}`, async () => {
      await executeFailing(...after);
      await window.answerNotification('fails failed', 'Open Output');
      await window.outputs().getByText('KeyError').first().waitFor();
      await until('it is in sight', () => isInSight('KeyError'));
      await window.screenshot(`at work 5 traceback ${what}`);
    });
  }

  it('goes from the failure to the cell of the editable notebook', async () => {
    await executeFailing();
    await window.answerNotification('fails failed', 'Go to Source Cell');
    await window.tab(/^fails\.ipynb$/).waitFor();
    const selected = window.notebook().locator('.monaco-list-row.focused');
    await selected.getByText('step_1', { exact: false }).first().waitFor();
    await window.screenshot('at work 6 source cell');
    assert.equal(await window.tab('(input)').count(), 0);
  });

  it('distinguishes two outputs of a notebook by their time', async () => {
    await letEnd();
    for (const count of [1, 2]) {
      await executeFromExplorer(window, 'waits.ipynb');
      await until('its output is open', async () => (await window.tab('(output)').count()) === count);
    }
    await window
      .tab(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/)
      .nth(1)
      .waitFor();
    await window.screenshot('at work 10 two outputs');
  });
});
