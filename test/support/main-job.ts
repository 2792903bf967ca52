import assert from 'node:assert/strict';
import type { VSCode } from './vscode';
import type { Workbench } from './workbench';

/** The example of the main job, and what its output must show. */
export const MAIN_EXAMPLE = {
  notebook: 'penguins.ipynb',
  text: '120 penguins',
  /** Rows of its table: species, count, mean. */
  table: [
    ['Adelie', '40', '3585.0'],
    ['Chinstrap', '40', '3605.0'],
    ['Gentoo', '40', '3595.0'],
  ],
} as const;

/** Right-clicks a notebook in the Explorer and executes it on this machine. */
export async function executeFromExplorer(window: Workbench, notebook: string): Promise<void> {
  await window.chooseFromContextMenu(await window.explorerFile(notebook), 'Execute Remotely');
  await window.pickLabel('This machine');
}

/** Asserts that the main example's output is open and shows its text, its table and a decoded plot. */
export async function assertMainOutput(window: Workbench): Promise<void> {
  await window.notebook().waitFor();
  const outputs = window.outputs();
  await outputs.getByText(MAIN_EXAMPLE.text).waitFor();
  const rows = outputs.locator('table tbody tr');
  await rows.first().scrollIntoViewIfNeeded();
  assert.deepEqual(
    (await rows.allInnerTexts()).map((row) => row.split(/\s+/)),
    MAIN_EXAMPLE.table,
  );
  assert.ok((await window.outputImageWidth()) > 0, 'The plot cannot be decoded.');
}

/**
 * Does the main job in a window, from the right click to the opened output.
 * @returns the states recorded by the service, each with its time
 */
export async function doMainJob(
  vscode: VSCode,
  window: Workbench,
  picture: (name: string) => Promise<void>,
): Promise<{ state: string; time: string }[]> {
  const file = await window.explorerFile(MAIN_EXAMPLE.notebook);
  await file.click({ button: 'right' });
  await window.contextMenu().waitFor();
  await picture('1-context-menu');
  await window.page.keyboard.press('Escape');
  await window.contextMenu().waitFor({ state: 'hidden' });
  await executeFromExplorer(window, MAIN_EXAMPLE.notebook);
  await window.openExecutions();
  await window
    .executionRow(/penguins/)
    .first()
    .waitFor();
  await picture('2-running');
  await assertMainOutput(window);
  await window
    .executionRow(/Succeeded/)
    .first()
    .waitFor();
  await picture('3-output');
  const record = (await vscode.records()).at(-1);
  assert.equal(record?.state, 'SUCCEEDED');
  return record.history;
}
