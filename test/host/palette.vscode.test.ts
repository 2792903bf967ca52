import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { isTerminal } from '../../src/execution/states';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { until } from '../support/until';
import { allNames, EXTENSION_ID, ended, notebookText, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

/** What the user sees after a command: text of a message, a pick or a box; or the state of the editor. */
type Found = RegExp | (() => boolean | Promise<boolean>);

const NO_EXECUTIONS = /^There are no executions\. Execute a notebook first\.$/;
const ASKS_TEMPLATE = /^Execute .*\.ipynb$|^Execute palette$/;

function activeInput(): unknown {
  return vscode.window.tabGroups.activeTabGroup.activeTab?.input;
}

/** Results without an open notebook, a selection or an execution. */
const IN_NOTHING: Readonly<Record<string, Found>> = {
  execute: /^Execute a Notebook Remotely$/,
  executeAgain: /^Open a notebook first, or right-click one/,
  executeFolder: /^Execute \d+ Notebooks$/,
  markCellAsParameters: /^Choose a cell of a notebook first/,
  unmarkParametersCell: /^Open a notebook first/,
  cancel: NO_EXECUTIONS,
  delete: NO_EXECUTIONS,
  openOutput: NO_EXECUTIONS,
  openInput: NO_EXECUTIONS,
  rerun: NO_EXECUTIONS,
  rerunWithChanges: NO_EXECUTIONS,
  copyName: NO_EXECUTIONS,
  showLog: NO_EXECUTIONS,
  // The view shows it.
  refresh: () => true,
  saveAsTemplate: NO_EXECUTIONS,
  newGoogleTemplate: /^New Google Cloud Template$/,
  openInConsole: NO_EXECUTIONS,
  copyOutputUri: NO_EXECUTIONS,
  editTemplates: () => {
    const input = activeInput();
    return input instanceof vscode.TabInputText && input.uri.path.endsWith('settings.json');
  },
  setDefaultTemplate: /^Set Default Template$/,
  executeExample: ASKS_TEMPLATE,
  installIpykernel: /^ipykernel is already installed/,
  // The Python extension asks.
  selectPython: () => true,
  signIn: /^No Google Cloud service needs you to sign in/,
  showExtensionLog: () =>
    vscode.window.visibleTextEditors.some(({ document }) => document.uri.scheme === 'output'),
  groupBy: /^Group Executions$/,
  sortBy: /^Sort Executions$/,
  filter: /^Filter Executions$/,
  // Offered only while a filter is active; the view shows it.
  clearFilter: () => true,
  openCopy: /^Open the output of an execution first/,
  openFailedCell: NO_EXECUTIONS,
  openSourceCell: NO_EXECUTIONS,
  openNotebook: NO_EXECUTIONS,
  compareWithInput: NO_EXECUTIONS,
  compareOutputs: NO_EXECUTIONS,
  saveOutputAs: NO_EXECUTIONS,
  exportReport: NO_EXECUTIONS,
  download: NO_EXECUTIONS,
  revealOutput: NO_EXECUTIONS,
  pin: NO_EXECUTIONS,
  unpin: NO_EXECUTIONS,
  cleanUp: /^There is nothing to clean up/,
  restartService: /^The execution service was restarted/,
  reportProblem: /^Read the report before you share it/,
};

/** Differences with a notebook open. */
const IN_A_NOTEBOOK: typeof IN_NOTHING = {
  execute: ASKS_TEMPLATE,
  executeAgain: ASKS_TEMPLATE,
  markCellAsParameters: () =>
    JSON.stringify(vscode.window.activeNotebookEditor?.notebook.cellAt(0).metadata).includes('"parameters"'),
  unmarkParametersCell: () => true,
};

/** Text that users should never see. */
const RAW = /unexpected happened|undefined|null|\[object|\bE[A-Z]{4,}\b|\w+Error\b|\{\d+\}|\bat .+:\d+:\d+/;

describe('every command of the command palette', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  const unhandled: unknown[] = [];
  const catchUnhandled = (error: unknown): void => void unhandled.push(error);
  suiteOfCommands({}, (parts) => {
    ({ service, user } = parts);
  });
  before(() => process.on('unhandledRejection', catchUnhandled));
  after(() => process.off('unhandledRejection', catchUnhandled));
  beforeEach(async () => {
    // Earlier executions, of other suites, too.
    for (const name of await allNames(service)) {
      const { state } = await service.get(name);
      if (!isTerminal(state)) await service.cancel(name).then(() => ended(service, name));
      await service.delete(name);
    }
    await run('refresh');
  });

  /** Runs a command and reports problems with its visible result; undefined if there are none. */
  const problemsOf = async (command: string, expected: Found | undefined): Promise<string | undefined> => {
    const from = user.shown.length;
    await run(command);
    const shown = user.shown.slice(from);
    const raw = shown.find((text) => RAW.test(text));
    if (raw !== undefined) return `shows “${raw}”`;
    if (expected === undefined) return 'is not in the table';
    if (expected instanceof RegExp) {
      return shown.some((text) => expected.test(text))
        ? undefined
        : `shows “${shown.join('” “') || 'nothing'}”`;
    }
    await until(`${command} is seen`, expected);
    return undefined;
  };
  const tryAll = async (prepare: () => Promise<unknown>, table: typeof IN_NOTHING): Promise<void> => {
    const wrong: string[] = [];
    await prepare();
    let before = activeInput();
    for (const command of commandsOfPalette()) {
      if (activeInput() !== before) {
        await vscode.commands.executeCommand('workbench.action.closeAllEditors');
        await prepare();
        before = activeInput();
      }
      const problem = await problemsOf(command, table[command]);
      if (problem !== undefined) wrong.push(`${command} ${problem}`);
      // Closing an unsaved editor asks.
      if (vscode.window.tabGroups.all.some(({ activeTab }) => activeTab?.isDirty === true))
        await vscode.commands.executeCommand('workbench.action.files.revert');
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(unhandled, []);
  };

  it('works or reports why not in an empty window', async () => {
    assert.deepEqual(Object.keys(IN_NOTHING).sort(), commandsOfPalette().sort());
    await tryAll(() => Promise.resolve(), IN_NOTHING);
  });

  it('works or reports why not with a notebook open', async () => {
    const uri = await writeFile('palette.ipynb', notebookText(['1']));
    await tryAll(
      async () => vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(uri)),
      { ...IN_NOTHING, ...IN_A_NOTEBOOK },
    );
  });
});

/** Short names of the commands that the manifest shows in the palette. */
function commandsOfPalette(): string[] {
  const extension = vscode.extensions.getExtension(EXTENSION_ID)?.extensionPath ?? '';
  const { contributes } = JSON.parse(readFileSync(path.join(extension, 'package.json'), 'utf8')) as {
    contributes: {
      commands: { command: string }[];
      menus: { commandPalette: { command: string; when: string }[] };
    };
  };
  const hidden = contributes.menus.commandPalette.filter(({ when }) => when === 'false');
  return contributes.commands
    .map(({ command }) => command)
    .filter((command) => !hidden.some((each) => each.command === command))
    .map((command) => command.replace('notebookExecutions.', ''));
}
