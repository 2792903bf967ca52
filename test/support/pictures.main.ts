import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { copyExamples } from './examples';
import { assertMainOutput, executeFromExplorer, MAIN_EXAMPLE } from './main-job';
import { ROOT } from './paths';
import { ensurePython } from './python';
import { runMain, say } from './setup';
import { VSCode } from './vscode';
import { packageExtension } from './vsix';
import type { Workbench } from './workbench';

/* npm run pictures: takes the pictures of the README and the walkthrough, in a window with the packaged extension. */

const MEDIA = path.join(ROOT, 'media');
const EXAMPLE = 'dice.ipynb';

/** A part of the window, in pixels. */
interface Part {
  readonly x: number;
  readonly width: number;
  readonly height: number;
}
/** The upper part of the editor, with the pickers above it. */
const ABOVE_EDITOR: Part = { x: 340, width: 888, height: 420 };

/** Takes a picture of a part of the window, by default of the whole window. */
async function take(window: Workbench, name: string, part?: Part): Promise<void> {
  // A position where no hover appears.
  await window.page.mouse.move(640, 859);
  await window.page.locator('.workbench-hover:visible').first().waitFor({ state: 'hidden' });
  const file = path.join(MEDIA, `${name}.png`);
  await window.page.screenshot({ path: file, ...(part && { clip: { y: 0, ...part } }) });
  say(file);
}

async function shown(window: Workbench, sentence: string): Promise<void> {
  await window.execution(sentence).first().waitFor({ timeout: 120_000 });
}

async function takeAll(vscode: VSCode): Promise<void> {
  const window = await vscode.openWindow();
  const file = await window.explorerFile(MAIN_EXAMPLE.notebook);
  await window.page.locator('.statusbar-item', { hasText: 'Activating' }).waitFor({ state: 'detached' });
  await file.click({ button: 'right' });
  await window.contextMenu().waitFor();
  await take(window, 'screenshots/context-menu');
  await window.page.keyboard.press('Escape');

  await (await window.explorerFile(EXAMPLE)).dblclick();
  await window.tab(EXAMPLE).waitFor();
  await window.outputs().getByText('Throwing dice').waitFor();
  await window.chooseFromContextMenu(await window.explorerFile(EXAMPLE), 'Execute Remotely');
  await window.quickPickRow('This machine').first().waitFor();
  await take(window, 'walkthrough/templates', ABOVE_EDITOR);
  await window.pick('This machine');
  await window.quickPickRow('how often the dice are thrown').first().waitFor();
  await take(window, 'walkthrough/parameters', ABOVE_EDITOR);
  await window.pick('with the defaults');
  await window.tab('dice.ipynb (output)').waitFor();
  await window.runCommand('View: Close Other Editors in Group');
  await window.outputs().getByText('most often 7').waitFor();
  await take(window, 'walkthrough/output', { x: 352, width: 888, height: 740 });
  await window.runCommand('View: Close All Editors');

  await executeFromExplorer(window, MAIN_EXAMPLE.notebook);
  await window.openExecutions();
  await assertMainOutput(window);
  await shown(window, 'penguins succeeded');
  await take(window, 'screenshots/output');

  await executeFromExplorer(window, 'sales-by-region.ipynb');
  await window.openExecutions();
  await shown(window, 'sales-by-region succeeded');
  await executeFromExplorer(window, 'training.ipynb');
  await window.pick('with the defaults');
  await window.openExecutions();
  await shown(window, 'training is running');
  await window.executionRow('3/6 cells').waitFor();
  await take(window, 'walkthrough/executions', { x: 0, width: 888, height: 420 });
}

/** The view where the Python of the operating system lacks ipykernel. */
async function takePython(vsix: string[], workspace: string): Promise<void> {
  const vscode = await VSCode.launch({ vsix, workspace, env: { PATH: '/usr/bin:/bin' } });
  try {
    const window = await vscode.openWindow();
    await window.openExecutions();
    await window.executionRow('Install ipykernel').waitFor();
    await take(window, 'walkthrough/python', { x: 0, width: 352, height: 220 });
  } finally {
    await vscode.stop();
  }
}

runMain(async () => {
  await ensurePython();
  const vsix = [await packageExtension()];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-'));
  // The pictures show the folder's name.
  const workspace = await copyExamples(path.join(folder, 'notebooks'));
  await copyFile(path.join(MEDIA, 'walkthrough', EXAMPLE), path.join(workspace, EXAMPLE));
  const templates = [
    { name: 'Long runs', service: 'embedded', runOptions: { timeout: 28_800 } },
    { name: 'Try three times', service: 'embedded', runOptions: { maxAttempts: 3 } },
  ];
  const vscode = await VSCode.launch({
    vsix,
    workspace,
    settings: { 'notebookExecutions.templates': templates },
  });
  try {
    await takeAll(vscode);
  } finally {
    await vscode.stop();
  }
  try {
    await takePython(vsix, workspace);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
