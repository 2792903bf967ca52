import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { RESULTS } from './paths';
import { until } from './until';

/** Where screenshots go unless a test names another folder. */
export const SCREENSHOTS = path.join(RESULTS, 'screenshots');

/** What is used of HTMLImageElement; the project is compiled without the DOM's types. */
interface DecodableImage {
  readonly naturalWidth: number;
  decode(): Promise<void>;
}

/** Hands every error that appears as a toast to `errorToast`, once. */
const WATCH_ERRORS = `new MutationObserver(() => {
  for (const toast of document.querySelectorAll('.notification-toast:has(.codicon-error)')) {
    const text = toast.querySelector('.notification-list-item-message')?.textContent ?? '';
    if (text === '' || toast.dataset.told === text) continue;
    toast.dataset.told = text;
    errorToast(text);
  }
}).observe(document, { childList: true, subtree: true, characterData: true });`;

/**
 * A window of VS Code, through what a person sees and does in it. Every method waits for what it needs; a wait that
 * runs out rejects with what was looked for.
 */
export class Workbench {
  private readonly errors: string[] = [];
  /** Texts of notifications that the test named. */
  private readonly expected: (string | RegExp)[] = [];

  constructor(readonly page: Page) {}

  /** The errors that were shown as toasts and that the test did not name. */
  unexpectedErrors(): string[] {
    return this.errors.filter(
      (text) =>
        !this.expected.some((each) =>
          typeof each === 'string' ? text.toLowerCase().includes(each.toLowerCase()) : each.test(text),
        ),
    );
  }

  /** Notices errors from now on, also after a reload. Before the page is loaded. */
  async watchErrors(): Promise<void> {
    await this.page.exposeFunction('errorToast', (text: string) => {
      this.errors.push(text);
    });
    await this.page.addInitScript({ content: WATCH_ERRORS });
  }

  /** An error that may be shown as a toast, where the test does not look at it by {@link notification}. */
  expectError(text: string | RegExp): void {
    this.expected.push(text);
  }

  /** Waits until the window shows its parts. */
  async ready(): Promise<void> {
    await this.page
      .locator('.monaco-workbench .activitybar .action-label')
      .first()
      .waitFor({ timeout: 60_000 });
    await this.page.locator('.monaco-workbench .statusbar').waitFor();
  }

  /** Leaves the window as by closing its tab. The extension host lives on for minutes. */
  async close(): Promise<void> {
    await this.page.context().close();
  }

  // Commands

  /** Runs a command from the command palette by its whole title. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await input.fill(`>${title}`);
    await this.quickPickRow(title).first().click();
  }

  /** Titles that the command palette offers for this text. */
  async commandsFor(text: string): Promise<string[]> {
    await this.page.keyboard.press('F1');
    await this.page.locator('.quick-input-widget .quick-input-box input').fill(`>${text}`);
    await this.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    const labels = await this.page.locator('.quick-input-list .monaco-list-row .label-name').allInnerTexts();
    await this.page.keyboard.press('Escape');
    return labels;
  }

  /** A row of the open quick pick. */
  quickPickRow(text: string): Locator {
    return this.page.locator('.quick-input-widget .quick-input-list .monaco-list-row', { hasText: text });
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
   * Waits until an extension is active and answers how long loading and activating it took, in milliseconds, as VS Code
   * tells it among its running extensions. These are listed by that time: a quick one needs a high window.
   */
  async activationTime(extension: string): Promise<number> {
    const list = this.page.locator('.runtime-extensions-editor');
    if (!(await list.isVisible())) {
      await this.runCommand('Developer: Show Running Extensions');
    }
    const row = list.locator('.monaco-list-row', { hasText: extension });
    const time = row.locator('.activation-time', { hasText: /\d+ms/ });
    await time.waitFor();
    return Number(/(\d+)ms/.exec(await time.innerText())?.[1]);
  }

  // Side bar

  /** A file of the Explorer, which is opened if need be. */
  async explorerFile(name: string): Promise<Locator> {
    const files = this.page.locator('.explorer-folders-view');
    if (!(await files.isVisible())) {
      await this.activity('Explorer').click();
    }
    const row = files.locator('.monaco-list-row', { hasText: name }).first();
    await row.waitFor();
    return row;
  }

  /** An icon of the activity bar by the start of its name. */
  activity(name: string): Locator {
    return this.page.locator(`.activitybar .action-label[aria-label^="${name}"]`);
  }

  /** The context menu on the screen. */
  contextMenu(): Locator {
    return this.page.locator('.context-view .monaco-menu');
  }

  /** Opens something's context menu and chooses an entry. */
  async chooseFromContextMenu(target: Locator, entry: string): Promise<void> {
    await this.choose(() => this.rightClick(target), entry);
  }

  /** Opens the menu of a button and chooses an entry. */
  async chooseFromMenu(button: Locator, entry: string): Promise<void> {
    await this.choose(() => button.click({ timeout: 5000 }), entry);
  }

  private async choose(open: () => Promise<void>, entry: string): Promise<void> {
    const item = this.contextMenu().locator('.action-item', { hasText: entry }).first();
    // A menu takes no click in its first tenth of a second, lest a right click be one; a window that is still starting
    // closes its menus now and then; and the hover of a neighboring row may lie above the target.
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

  /** A right click, with the hover of whatever the pointer rested on out of the way. */
  private async rightClick(target: Locator): Promise<void> {
    const { width = 0, height = 1 } = this.page.viewportSize() ?? {};
    // Onto the status bar, where it is empty.
    await this.page.mouse.move(width / 2, height - 1);
    await this.page.locator('.workbench-hover:visible').first().waitFor({ state: 'hidden', timeout: 5000 });
    await target.click({ button: 'right', timeout: 5000 });
  }

  /** The labels of something's context menu, which is closed again. */
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
    const rows = this.executionsPane();
    if (!(await rows.isVisible())) {
      // Forced: the badge lies above the icon; a click on it is a click on the icon.
      await this.activity('Notebook Executions').click({ force: true });
      await rows.waitFor();
    }
  }

  /** The pane of the view Notebook Executions, welcome content included. */
  executionsPane(): Locator {
    return this.page.locator('.sidebar .pane', {
      has: this.page.locator('.pane-header[aria-label^="Notebook Executions"]'),
    });
  }

  /** A row of the view Notebook Executions, group or execution. */
  executionRow(text: string | RegExp): Locator {
    return this.executionsPane().locator('.monaco-list-row', { hasText: text });
  }

  /** An execution of the view, by the beginning of what a screen reader says of it: `sales is running`. */
  execution(sentence: string): Locator {
    return this.executionsPane().locator(`.monaco-list-row[aria-label^="${sentence}"]`);
  }

  /** Texts of the rows of the view Notebook Executions, top to bottom, as far as they are on the screen. */
  async executionRows(): Promise<string[]> {
    const texts = await this.executionsPane().locator('.monaco-list-row').allInnerTexts();
    return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  // Notifications and dialogs

  /** A notification on the screen. An error with this text is no longer an unexpected one. */
  notification(text: string | RegExp): Locator {
    this.expected.push(text);
    return this.page.locator('.notifications-toasts .notification-toast', { hasText: text });
  }

  /** Presses a button of a notification. */
  async answerNotification(text: string | RegExp, button: string): Promise<void> {
    await this.notification(text).first().locator('.monaco-button', { hasText: button }).click();
  }

  /** All that the notification centre holds, told and not dismissed. */
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

  /** The notebook editor on the screen. */
  notebook(): Locator {
    return this.page.locator('.notebookOverlay.notebook-editor:visible');
  }

  /** The toolbar of the notebook editor on the screen. */
  notebookToolbar(): Locator {
    return this.page.locator('.notebook-toolbar-container:visible');
  }

  /** What the outputs of the visible notebook are rendered in: text, tables, images. */
  outputs(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');
  }

  /**
   * Waits until an image among the outputs of the visible notebook is on the screen and answers its real width in
   * pixels; 0 when it cannot be decoded.
   */
  async outputImageWidth(): Promise<number> {
    const image = this.outputs().locator('img').first();
    await image.waitFor();
    await this.notebook().hover();
    await until('the image is on the screen', async () => {
      const box = await image.boundingBox();
      const view = await this.notebook().boundingBox();
      if (box === null || view === null) {
        return false;
      }
      if (box.y + box.height <= view.y + view.height) {
        return true;
      }
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

  // Looks

  /** Saves a picture of the window, without the hover of where the mouse happens to be, and answers its path. */
  async screenshot(name: string, folder = SCREENSHOTS): Promise<string> {
    await mkdir(folder, { recursive: true });
    await this.page.mouse.move(0, 0);
    const file = path.join(folder, `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** Makes the side bar this wide, in pixels, with the mouse. */
  async resizeSideBar(width: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (box === null) {
      throw new Error('The side bar is not open.');
    }
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, y, { steps: 5 });
    await this.page.mouse.up();
  }
}
