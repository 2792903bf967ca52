import { VSCode, type LaunchOptions } from '../support/vscode';
import { packagedExtension } from '../support/vsix';
import type { Workbench } from '../support/workbench';

/** Objects available to each test of a suite. */
export interface WindowParts {
  readonly vscode: VSCode;
  readonly window: Workbench;
}

/**
 * The hooks of a suite whose tests share one VS Code, with the packaged extension, and one window, because starting them
 * takes longer than most tests. Before each test all editors and notifications are closed; earlier executions remain.
 * After a failed test, VS Code is started anew, so that one failure does not cause others.
 * @param options called before each start
 * @param take receives these objects before each test
 */
export function suiteOfWindow(
  options: () => Promise<LaunchOptions>,
  take: (parts: WindowParts) => void,
): void {
  let parts: WindowParts | undefined;
  beforeEach(async () => {
    if (parts === undefined) {
      const vscode = await VSCode.launch({ vsix: [await packagedExtension()], ...(await options()) });
      parts = { vscode, window: await vscode.openWindow() };
    }
    take(parts);
  });
  afterEach(async function () {
    if (parts === undefined) return;
    const { vscode, window } = parts;
    if (this.currentTest?.state === 'failed') {
      parts = undefined;
      await window.screenshot(`failed ${this.currentTest.title}`).catch(() => undefined);
      await vscode.stop().catch((error: unknown) => {
        console.error(error);
      });
    } else {
      await window.clear();
    }
  });
  after(async () => {
    await parts?.vscode.stop();
  });
}
