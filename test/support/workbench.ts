import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { RESULTS } from './paths';
import { until } from './until';

/** Default folder for screenshots. */
export const SCREENSHOTS = path.join(RESULTS, 'screenshots');

/** What a test fails with that did not name errors that were shown. */
export function unexpected(errors: readonly string[]): string {
  return `Errors were shown that no test expected: ${errors.join(' | ')}`;
}

/** The part of HTMLImageElement in use. The project is compiled without DOM types. */
interface DecodableImage {
  readonly naturalWidth: number;
  decode(): Promise<void>;
}

/** Calls `errorToast` once for every error that appears as a toast. */
const WATCH_ERRORS = `new MutationObserver(() => {
  for (const toast of document.querySelectorAll('.notification-toast:has(.codicon-error)')) {
    const text = toast.querySelector('.notification-list-item-message')?.textContent ?? '';
    if (text === '' || toast.dataset.told === text) continue;
    toast.dataset.told = text;
    errorToast(text);
  }
}).observe(document, { childList: true, subtree: true, characterData: true });`;

/**
 * A window of VS Code as the user sees and uses it. Every method waits for the elements it needs. If that times out, it
 * rejects with the missing element.
 */
export class Workbench {
  private readonly errors: string[] = [];
  /** Texts of notifications that the test expects. */
  private readonly expected: (string | RegExp)[] = [];

  constructor(readonly page: Page) {}

  /** Errors that were shown as toasts and that the test did not name. */
  unexpectedErrors(): string[] {
    return this.errors.filter(
      (text) =>
        !this.expected.some((each) =>
          typeof each === 'string' ? text.toLowerCase().includes(each.toLowerCase()) : each.test(text),
        ),
    );
  }

  /** Records errors from now on, also after a reload. Call this before the page is loaded. */
  async watchErrors(): Promise<void> {
    await this.page.exposeFunction('errorToast', (text: string) => {
      this.errors.push(text);
    });
    await this.page.addInitScript({ content: WATCH_ERRORS });
  }

  /** Allows an error toast that the test does not check with {@link notification}. */
  expectError(text: string | RegExp): void {
    this.expected.push(text);
  }

  /** Waits until the workbench is shown. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .activitybar .action-label').first().waitFor();
    await this.page.locator('.monaco-workbench .statusbar').waitFor();
  }

  /** Closes the window like closing a browser tab. The extension host keeps running for some minutes. */
  async close(): Promise<void> {
    await this.page.context().close();
  }

  /**
   * Closes all editors and notifications, and forgets which errors were expected, for the next test in this window.
   * @throws if an error was shown that the test did not name.
   */
  async clear(): Promise<void> {
    await this.runCommand('View: Close All Editors');
    await this.page.locator('.tabs-container .tab').first().waitFor({ state: 'hidden' });
    await this.runCommand('Notifications: Clear All Notifications');
    await this.page.locator('.notification-toast').first().waitFor({ state: 'hidden' });
    const errors = this.unexpectedErrors();
    if (errors.length > 0) throw new Error(unexpected(errors));
    this.errors.length = 0;
    this.expected.length = 0;
  }

  // Commands

  /** Runs a command from the command palette by its whole title. */
  async runCommand(title: string): Promise<void> {
    const row = this.quickPickRow(title).first();
    await this.inPalette(title, row, () => row.click({ timeout: 5000 }));
  }

  /** Titles in the command palette for this text. */
  async commandsFor(text: string): Promise<string[]> {
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    const labels = await this.inPalette(text, rows.first(), () =>
      rows.locator('.label-name').allInnerTexts(),
    );
    await this.page.keyboard.press('Escape');
    return labels;
  }

  /** Opens the command palette with a text and does something when a row is there. */
  private inPalette<T>(text: string, row: Locator, act: () => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    // A window that is still starting may take the focus, which closes the palette.
    return until(`${text} is in the palette`, async () => {
      try {
        await this.page.keyboard.press('F1');
        const input = this.page.locator('.quick-input-widget .quick-input-box input');
        await input.fill(`>${text}`, { timeout: 5000 });
        await row.waitFor({ timeout: 5000 });
        result = { value: await act() };
      } catch {
        // Once more.
      }
      return result;
    }).then(({ value }) => value);
  }

  /** A row of the open quick pick. */
  quickPickRow(text: string): Locator {
    return this.page.locator('.quick-input-widget .quick-input-list .monaco-list-row', { hasText: text });
  }

  /** Chooses the row of the open quick pick that has exactly this label. */
  async pickLabel(label: string): Promise<void> {
    const text = new RegExp(`^${label}$`);
    const labels = this.page.locator('.quick-input-widget .quick-input-list .label-name');
    await labels.filter({ hasText: text }).click();
  }

  /** Chooses a row of the open quick pick. */
  async pick(text: string): Promise<void> {
    await this.quickPickRow(text).first().click();
  }

  /** Types into the open quick pick or input box and accepts. */
  async enter(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible .quick-input-box input');
    await input.fill(text);
    await input.press('Enter');
  }

  /**
   * Waits until an extension is active. Returns how long loading and activating it took, in milliseconds, from VS
   * Code's list of running extensions. The list is sorted by that time, so fast extensions need a tall window.
   */
  async activationTime(extension: string): Promise<number> {
    const list = this.page.locator('.runtime-extensions-editor');
    if (!(await list.isVisible())) await this.runCommand('Developer: Show Running Extensions');

    const row = list.locator('.monaco-list-row', { hasText: extension });
    const time = row.locator('.activation-time', { hasText: /\d+ms/ });
    await time.waitFor();
    return Number(/(\d+)ms/.exec(await time.innerText())?.[1]);
  }

  // Side bar

  /** A file in the Explorer, which is opened if necessary. If the file is not there, the watcher of files may have missed it. */
  async explorerFile(name: string): Promise<Locator> {
    const files = this.page.locator('.explorer-folders-view');
    await this.openView('Explorer', files);
    const row = files.locator('.monaco-list-row', { hasText: name }).first();
    await until(`${name} is in the Explorer`, async () => {
      try {
        await row.waitFor({ timeout: 5000 });
        return true;
      } catch {
        await this.runCommand('Refresh Explorer');
        return false;
      }
    });
    return row;
  }

  /** An icon of the activity bar, by the start of its name. */
  activity(name: string): Locator {
    return this.page.locator(`.activitybar .action-label[aria-label^="${name}"]`);
  }

  /** The open context menu. */
  contextMenu(): Locator {
    return this.page.locator('.context-view .monaco-menu');
  }

  /** Opens an element's context menu and chooses an entry. */
  async chooseFromContextMenu(target: Locator, entry: string): Promise<void> {
    await this.choose(() => this.rightClick(target), entry);
  }

  /** Opens the menu of a button and chooses an entry. */
  async chooseFromMenu(button: Locator, entry: string): Promise<void> {
    await this.choose(() => button.click({ timeout: 5000 }), entry);
  }

  private async choose(open: () => Promise<void>, entry: string): Promise<void> {
    const item = this.contextMenu().locator('.action-item', { hasText: entry }).first();
    // A menu ignores clicks in its first 0.1 s, so that a right click does not choose an entry. A window that is still
    // starting sometimes closes its menus, and the hover of a neighbouring row may cover the target.
    await until(`${entry} is chosen`, async () => {
      try {
        if (!(await item.isVisible())) await open();
        await item.click({ timeout: 5000 });
        await this.contextMenu().waitFor({ state: 'hidden', timeout: 1000 });
        return true;
      } catch {
        return false;
      }
    });
  }

  /** Right-clicks an element after removing any hover. */
  private async rightClick(target: Locator): Promise<void> {
    const { width = 0, height = 1 } = this.page.viewportSize() ?? {};
    // An empty area of the status bar.
    await this.page.mouse.move(width / 2, height - 1);
    await this.page.locator('.workbench-hover:visible').first().waitFor({ state: 'hidden', timeout: 5000 });
    await target.click({ button: 'right', timeout: 5000 });
  }

  /** The labels of an element's context menu, which is closed afterwards. */
  async contextMenuOf(target: Locator): Promise<string[]> {
    await this.rightClick(target);
    const items = this.contextMenu().locator('.action-item .action-label:not(.separator)');
    await items.first().waitFor();
    const labels = await items.allInnerTexts();
    await this.page.keyboard.press('Escape');
    await this.contextMenu().waitFor({ state: 'hidden' });
    return labels;
  }

  /** Opens the view Notebook Executions. */
  async openExecutions(): Promise<void> {
    await this.openView('Notebook Executions', this.executionsPane());
  }

  /** Opens a view of the side bar by its icon. The icon of the view that is open would close it. */
  private async openView(name: string, content: Locator): Promise<void> {
    const closed = this.page.locator(
      `.activitybar .action-item:not(.checked):has(> .action-label[aria-label^="${name}"])`,
    );
    await until(`the view ${name} is open`, async () => {
      if (await content.isVisible()) return true;
      // Forced, because the badge covers the icon. A click on the badge is a click on the icon.
      if (await closed.isVisible()) await closed.click({ force: true });
      return false;
    });
  }

  /** The pane of the view Notebook Executions, welcome content included. */
  executionsPane(): Locator {
    return this.page.locator('.sidebar .pane', {
      has: this.page.locator('.pane-header[aria-label^="Notebook Executions"]'),
    });
  }

  /** A row of the view Notebook Executions: a group or an execution. */
  executionRow(text: string | RegExp): Locator {
    return this.executionsPane().locator('.monaco-list-row', { hasText: text });
  }

  /** An execution of the view, by the start of its text for screen readers: `sales is running`. */
  execution(sentence: string): Locator {
    return this.executionsPane().locator(`.monaco-list-row[aria-label^="${sentence}"]`);
  }

  /** Texts of the visible rows of the view Notebook Executions, from top to bottom. */
  async executionRows(): Promise<string[]> {
    const texts = await this.executionsPane().locator('.monaco-list-row').allInnerTexts();
    return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  // Notifications and dialogs

  /** A visible notification. An error with this text is then expected. */
  notification(text: string | RegExp): Locator {
    this.expected.push(text);
    return this.page.locator('.notifications-toasts .notification-toast', { hasText: text });
  }

  /** Presses a button of a notification, wherever it is: VS Code moves most of them to the notification centre after 15 s. */
  async answerNotification(text: string | RegExp, button: string): Promise<void> {
    this.expected.push(text);
    const centre = this.page.locator('.notifications-center');
    const item = this.page.locator('.notification-list-item:visible', { hasText: text }).first();
    await until(`${button} of ${String(text)} is pressed`, async () => {
      try {
        await item.locator('.monaco-button', { hasText: button }).click({ timeout: 5000 });
        return true;
      } catch {
        if (!(await centre.isVisible())) await this.runCommand('Notifications: Show Notifications');
        return false;
      }
    });
    if (await centre.isVisible()) await this.runCommand('Notifications: Hide Notifications');
  }

  /** Texts of all notifications in the notification centre. */
  async notifications(): Promise<string[]> {
    await this.runCommand('Notifications: Show Notifications');
    const centre = this.page.locator('.notifications-center');
    await centre.waitFor();
    const texts = await centre.locator('.notification-list-item-message').allInnerTexts();
    await this.page.keyboard.press('Escape');
    return texts;
  }

  /** Presses a button of the modal dialog. */
  async answerDialog(button: string | RegExp): Promise<void> {
    await this.page.locator('.monaco-dialog-box .monaco-button', { hasText: button }).click();
  }

  // Editors

  /** The tab of an editor. */
  tab(title: string | RegExp): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: title });
  }

  /** The visible notebook editor. */
  notebook(): Locator {
    return this.page.locator('.notebookOverlay.notebook-editor:visible');
  }

  /** The toolbar of the visible notebook editor. */
  notebookToolbar(): Locator {
    return this.page.locator('.notebook-toolbar-container:visible');
  }

  /** The frame that renders the outputs of the visible notebook: text, tables, images. */
  outputs(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');
  }

  /**
   * Waits for an image among the outputs of the visible notebook and returns its real width in pixels; 0 if it cannot
   * be decoded.
   */
  async outputImageWidth(): Promise<number> {
    const image = this.outputs().locator('img').first();
    await image.waitFor();
    await this.notebook().hover();
    await until('the image is on the screen', async () => {
      const box = await image.boundingBox();
      const view = await this.notebook().boundingBox();
      if (box === null || view === null) return false;

      if (box.y + box.height <= view.y + view.height) return true;

      await this.page.mouse.wheel(0, 200);
      return false;
    });
    return image.evaluate((element: DecodableImage) =>
      element.decode().then(
        () => element.naturalWidth,
        () => 0,
      ),
    );
  }

  // Appearance

  /** Saves a picture of the window, without hovers, and returns its path. */
  async screenshot(name: string, folder = SCREENSHOTS): Promise<string> {
    await mkdir(folder, { recursive: true });
    await this.page.mouse.move(0, 0);
    const file = path.join(folder, `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** Sets the width of the side bar in pixels, by dragging its border. */
  async resizeSideBar(width: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (box === null) throw new Error('The side bar is not open.');

    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, y, { steps: 5 });
    await this.page.mouse.up();
  }
}
