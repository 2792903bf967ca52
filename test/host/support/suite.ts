import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../../src/embedded';
import { activated, otherClient, withSettings } from './executions';
import { TestUser } from './test-user';

/** Objects available to each test of a suite. */
export interface Parts {
  /** The embedded service as another client sees it. */
  readonly service: EmbeddedExecutionService;
  /** New for each test. */
  readonly user: TestUser;
}

/** Runs one of our commands by its short name; returns the handler's result. */
export function run(command: string, ...args: unknown[]): Thenable<unknown> {
  return vscode.commands.executeCommand(`notebookExecutions.${command}`, ...args);
}

/**
 * The hooks of a suite that uses the extension like a user: activates it, applies settings for as long as the suite
 * runs, and closes all editors after each test.
 * @param take receives these objects before each test
 */
export function suiteOfCommands(
  settings: Readonly<Record<string, unknown>>,
  take: (parts: Parts) => void,
): void {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  let restore: () => Promise<void>;
  before(async () => {
    await activated();
    service = otherClient();
    restore = await withSettings(settings);
  });
  after(async () => {
    await restore();
    service.dispose();
  });
  beforeEach(() => {
    user = new TestUser();
    take({ service, user });
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    user.leave();
  });
}
