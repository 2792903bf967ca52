import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import * as vscode from 'vscode';

/** A displayed message. */
export interface Message {
  readonly kind: 'error' | 'warning' | 'information';
  readonly text: string;
  readonly modal: boolean;
  readonly detail: string | undefined;
  readonly buttons: readonly string[];
}

/** Actions of the user in an open quick pick. */
export class OpenPick {
  constructor(private readonly pick: FakeQuickPick) {}

  get title(): string {
    return this.pick.title ?? '';
  }

  /** Labels of the rows, without separators. */
  get labels(): string[] {
    return this.rows.map(({ label }) => label);
  }

  get rows(): readonly vscode.QuickPickItem[] {
    return this.pick.items.filter(({ kind }) => kind !== vscode.QuickPickItemKind.Separator);
  }

  /** The row that Enter would accept. */
  get active(): string | undefined {
    return this.pick.activeItems[0]?.label ?? this.labels[0];
  }

  row(label: string): vscode.QuickPickItem {
    const row = this.rows.find((item) => item.label === label);
    assert.ok(row, `No row “${label}” among ${this.labels.join(' | ')}`);
    return row;
  }

  choose(...labels: string[]): void {
    this.pick.selectedItems = labels.map((label) => this.row(label));
    this.pick.accepted.fire();
  }

  /** Ticks every row with this label. */
  chooseAll(label: string): void {
    this.pick.selectedItems = this.rows.filter((item) => item.label === label);
    this.pick.accepted.fire();
  }

  type(text: string): void {
    this.pick.value = text;
  }

  pressButtonOf(label: string, index = 0): void {
    const item = this.row(label);
    const button = item.buttons?.[index];
    assert.ok(button, `“${label}” has no button`);
    this.pick.itemButtonPressed.fire({ item, button });
  }

  back(): void {
    const button = this.pick.buttons.find((candidate) => candidate === vscode.QuickInputButtons.Back);
    assert.ok(button, 'There is no Back');
    this.pick.buttonPressed.fire(button);
  }

  leave(): void {
    this.pick.hide();
  }
}

/** A quick pick without a window, as returned by `createQuickPick` while a {@link TestUser} is in use. */
class FakeQuickPick {
  title: string | undefined;
  placeholder: string | undefined;
  value = '';
  items: readonly vscode.QuickPickItem[] = [];
  activeItems: readonly vscode.QuickPickItem[] = [];
  selectedItems: readonly vscode.QuickPickItem[] = [];
  buttons: readonly vscode.QuickInputButton[] = [];
  canSelectMany = false;
  ignoreFocusOut = false;
  matchOnDescription = false;
  readonly accepted = new vscode.EventEmitter<void>();
  readonly hidden = new vscode.EventEmitter<void>();
  readonly buttonPressed = new vscode.EventEmitter<vscode.QuickInputButton>();
  readonly itemButtonPressed = new vscode.EventEmitter<
    vscode.QuickPickItemButtonEvent<vscode.QuickPickItem>
  >();
  readonly onDidAccept = this.accepted.event;
  readonly onDidHide = this.hidden.event;
  readonly onDidTriggerButton = this.buttonPressed.event;
  readonly onDidTriggerItemButton = this.itemButtonPressed.event;

  constructor(private readonly shown: (pick: FakeQuickPick) => void) {}

  show(): void {
    setImmediate(() => {
      this.shown(this);
    });
  }

  hide(): void {
    this.hidden.fire();
  }

  dispose(): void {
    // Nothing to restore.
  }
}

/** The user's actions in one pick. */
export type PickAnswer = (pick: OpenPick) => void | Promise<void>;
/** Text for one input box; undefined dismisses it. `check` is the validation of the box. */
export type InputAnswer = (
  box: vscode.InputBoxOptions,
  check: (text: string) => string | undefined,
) => string | undefined;

/**
 * Simulates the user. Replaces the editor's prompts and messages: answers picks and input boxes in order,
 * and presses buttons. Prompts without a prepared answer are dismissed.
 */
export class TestUser {
  readonly messages: Message[] = [];
  /** Titles of all picks that were shown. */
  readonly picks: string[] = [];
  /** All displayed texts in order: messages, titles of picks and input boxes. */
  readonly shown: string[] = [];
  private readonly answers: PickAnswer[] = [];
  private readonly inputs: InputAnswer[] = [];
  private readonly dialogs: vscode.Uri[][] = [];
  private readonly buttons: { text: RegExp; button: string }[] = [];
  private readonly events = new EventEmitter();
  private readonly failures: Error[] = [];
  private readonly originals = new Map<string, unknown>();

  constructor() {
    this.replace('createQuickPick', () => new FakeQuickPick((pick) => void this.answerPick(pick)));
    this.replace(
      'showQuickPick',
      async (
        items: readonly vscode.QuickPickItem[] | Promise<readonly vscode.QuickPickItem[]>,
        options: vscode.QuickPickOptions,
      ) => this.showQuickPick(await items, options),
    );
    this.replace('showInputBox', (options: vscode.InputBoxOptions) => this.input(options));
    this.replace('showOpenDialog', () => Promise.resolve(this.dialogs.shift()));
    this.replace('showSaveDialog', () => Promise.resolve(this.dialogs.shift()?.[0]));
    this.replace('showErrorMessage', (text: string, ...rest: unknown[]) =>
      this.showMessage('error', text, rest),
    );
    this.replace('showWarningMessage', (text: string, ...rest: unknown[]) =>
      this.showMessage('warning', text, rest),
    );
    this.replace('showInformationMessage', (text: string, ...rest: unknown[]) =>
      this.showMessage('information', text, rest),
    );
  }

  /**
   * The errors and warnings so far, except those about ended executions: the end of one of an earlier test is reported
   * whenever the window receives it.
   */
  get shownProblems(): readonly Message[] {
    return this.messages.filter(
      ({ kind, buttons }) => kind !== 'information' && !buttons.includes('Open Output'),
    );
  }

  /** Answers the next picks, one each. */
  willPick(...answers: PickAnswer[]): void {
    this.answers.push(...answers);
  }

  willType(...inputs: InputAnswer[]): void {
    this.inputs.push(...inputs);
  }

  willOpen(...files: vscode.Uri[]): void {
    this.dialogs.push(files);
  }

  /** Presses a button of the next message with this text. */
  willPress(text: RegExp, button: string): void {
    this.buttons.push({ text, button });
  }

  /** The first message with this text, waiting for it if necessary. */
  async message(text: RegExp): Promise<Message> {
    for (;;) {
      const found = this.messages.find((message) => text.test(message.text));
      if (found !== undefined) return found;

      await once(this.events, 'message', { signal: AbortSignal.timeout(200_000) }).catch(() => {
        throw new Error(
          `No message ${String(text)}; there were: ${this.messages.map((each) => each.text).join(' | ')}`,
        );
      });
    }
  }

  /** Restores the editor's own prompts, and reports errors that occurred while answering. */
  leave(): void {
    for (const [name, original] of this.originals) Reflect.set(vscode.window, name, original);

    const [failure] = this.failures;
    if (failure !== undefined) throw failure;

    assert.equal(this.answers.length, 0, 'A pick that was expected did not come.');
    assert.equal(this.inputs.length, 0, 'An input box that was expected did not come.');
    assert.deepEqual(this.buttons, [], 'A message that was expected did not come.');
  }

  private replace(name: keyof typeof vscode.window, fake: unknown): void {
    this.originals.set(name, Reflect.get(vscode.window, name));
    assert.ok(Reflect.set(vscode.window, name, fake), `${name} cannot be replaced`);
  }

  private async answerPick(pick: FakeQuickPick): Promise<void> {
    this.picks.push(pick.title ?? '');
    this.shown.push(pick.title ?? '');
    const answer = this.answers.shift();
    try {
      await answer?.(new OpenPick(pick));
    } catch (error) {
      this.failures.push(error as Error);
    }
    // Dismisses a pick that the answer did not close.
    pick.hide();
  }

  private async showQuickPick(
    items: readonly vscode.QuickPickItem[],
    options: vscode.QuickPickOptions,
  ): Promise<unknown> {
    return new Promise((resolve) => {
      const pick = new FakeQuickPick((shown) => void this.answerPick(shown));
      pick.title = options.title;
      pick.items = items;
      pick.canSelectMany = options.canPickMany ?? false;
      pick.onDidAccept(() => {
        resolve(pick.canSelectMany ? pick.selectedItems : pick.selectedItems[0]);
      });
      pick.onDidHide(() => {
        resolve(undefined);
      });
      pick.show();
    });
  }

  private input(options: vscode.InputBoxOptions): Promise<string | undefined> {
    this.shown.push(options.title ?? options.prompt ?? '');
    const check = (text: string): string | undefined => {
      const verdict = options.validateInput?.(text);
      if (verdict === null || verdict === undefined || typeof verdict === 'string')
        return verdict ?? undefined;
      return 'message' in verdict ? verdict.message : undefined;
    };
    try {
      return Promise.resolve(this.inputs.shift()?.(options, check));
    } catch (error) {
      this.failures.push(error as Error);
      return Promise.resolve(undefined);
    }
  }

  private showMessage(
    kind: Message['kind'],
    text: string,
    rest: readonly unknown[],
  ): Promise<string | undefined> {
    const [options] = rest;
    const isOptions = typeof options === 'object' && options !== null;
    const buttons = rest.filter((item) => typeof item === 'string');
    this.shown.push(text);
    this.messages.push({
      kind,
      text,
      buttons,
      modal: isOptions && Reflect.get(options, 'modal') === true,
      detail: isOptions ? (Reflect.get(options, 'detail') as string | undefined) : undefined,
    });
    this.events.emit('message');
    const index = this.buttons.findIndex((each) => each.text.test(text) && buttons.includes(each.button));
    const [press] = index < 0 ? [] : this.buttons.splice(index, 1);
    return Promise.resolve(press?.button);
  }
}
