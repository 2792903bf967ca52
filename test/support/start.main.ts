import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureChromium } from './chromium';
import { copyExamples, removeWorkspace } from './examples';
import { doMainJob } from './main-job';
import { RESULTS, ROOT, VSCODE_CACHE } from './paths';
import { ensurePython } from './python';
import { runMain, say } from './setup';
import { VSCode, writeSettings } from './vscode';
import { findDesktop } from './vscode-install';
import { packageExtension } from './vsix';

/*
 * npm start              starts VS Code with the extension and a workspace of example notebooks
 * npm start -- --check   does the main job in it, headless, and exits with 0 if the output is shown
 * npm start -- --port N  port of VS Code if there is no display
 */

/** User data, workspace and executions of `npm start`. They are kept for the next start. */
const HOME = path.join(VSCODE_CACHE, 'start');

async function startDesktop(executable: string, workspace: string): Promise<number> {
  const user = path.join(HOME, 'user');
  await writeSettings(user, { 'notebookExecutions.dataDirectory': path.join(HOME, 'data') });
  const args = [`--extensionDevelopmentPath=${ROOT}`, '--user-data-dir', user, '--disable-workspace-trust'];
  say(`Opening VS Code with the examples in ${workspace}.`);
  const child = spawn(executable, [...args, '--extensions-dir', path.join(HOME, 'extensions'), workspace], {
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function serve(workspace: string, port: number | undefined): Promise<number> {
  const vsix = [await packageExtension()];
  const vscode = await VSCode.launch({
    home: HOME,
    vsix,
    workspace,
    ...(port === undefined ? {} : { port }),
  });
  say(`VS Code with the examples in ${workspace} is served at\n\n  ${vscode.windowUrl()}\n`);
  say('Open it in a browser on this machine. Ctrl+C ends VS Code; executions go on.');
  await vscode.ended();
  return 0;
}

async function check(): Promise<number> {
  await ensureChromium();
  const vsix = [await packageExtension()];
  const workspace = await copyExamples();
  const folder = path.join(RESULTS, 'start-check');
  const vscode = await VSCode.launch({ vsix, workspace });
  try {
    const window = await vscode.openWindow();
    const picture = async (name: string): Promise<void> => {
      say(`Screenshot ${await window.screenshot(name, folder)}`);
    };
    try {
      const history = await doMainJob(vscode, window, picture);
      say(`States: ${history.map(({ state, time }) => `${state} (${time})`).join(' → ')}`);
    } catch (error) {
      await picture('failed');
      throw error;
    }
    say('The output notebook is open: its text, table and plot are on the screen.');
    return 0;
  } finally {
    await vscode.stop();
    await removeWorkspace(workspace);
  }
}

runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, port: { type: 'string' } } });
  await ensurePython();
  if (values.check === true) return check();
  const desktop = await findDesktop('newest');
  const workspace = await copyExamples(path.join(HOME, 'workspace'));
  return desktop === undefined
    ? serve(workspace, values.port === undefined ? undefined : Number(values.port))
    : startDesktop(desktop, workspace);
});
