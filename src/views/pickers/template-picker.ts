import * as vscode from 'vscode';
import { templateLabel } from '../../wording/names';
import { label } from '../../wording/text';

/** A template as the picker shows it. */
export interface TemplateChoice {
  readonly name: string;
  /** The service that runs it. */
  readonly description: string;
  /** Why it cannot be used; undefined if it can. */
  readonly problem: string | undefined;
  /** A more detailed description with the Python that will run; undefined if there is none. */
  readonly later: Promise<string | undefined> | undefined;
  /** A note about the template. */
  readonly note: string | undefined;
  /** Why it will fail, if finding that out takes a while; undefined if nothing is known. Never rejects. */
  readonly warning: Promise<string | undefined>;
}

/** How the user left the picker: chose a template, changes its run options first, or edits the templates. */
export type TemplatePick<T> =
  { readonly action: 'choose' | 'options'; readonly choice: T } | { readonly action: 'edit' };

interface Item<T> extends vscode.QuickPickItem {
  readonly choice: T;
}

/** Asks for a template. Returns undefined if the user closed the picker. */
export function pickTemplate<T extends TemplateChoice>(options: {
  readonly title: string;
  readonly choices: readonly T[];
  /** Name of the initially selected template. */
  readonly preselected: string | undefined;
}): Promise<TemplatePick<T> | undefined> {
  const gear: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('settings-gear'),
    tooltip: vscode.l10n.t('Change Run Options…'),
  };
  const edit: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('edit'),
    tooltip: vscode.l10n.t('Edit Templates'),
  };
  const pick = vscode.window.createQuickPick<Item<T>>();
  pick.title = options.title;
  pick.placeholder = vscode.l10n.t('Choose the template to execute with');
  pick.matchOnDescription = true;
  pick.buttons = [edit];
  const known = new Map<T, string>();
  const warnings = new Map<T, string>();
  const show = (active: string | undefined): void => {
    pick.items = options.choices.map((choice) => ({
      choice,
      label:
        choice.name === '' ? vscode.l10n.t('Template without a name') : label(templateLabel(choice.name)),
      description: label(known.get(choice) ?? choice.description),
      iconPath: new vscode.ThemeIcon(
        choice.problem === undefined && !warnings.has(choice) ? 'server-process' : 'warning',
      ),
      ...(choice.problem === undefined ? { buttons: [gear] } : {}),
      ...detailOf(choice, warnings.get(choice)),
    }));
    const item = pick.items.find(({ choice }) => choice.name === active);
    if (item !== undefined) pick.activeItems = [item];
  };
  show(options.preselected);
  const showAgain = (): void => {
    show(pick.activeItems[0]?.choice.name);
  };
  for (const choice of options.choices) {
    void choice.later?.then((description) => {
      if (description === undefined) return;
      known.set(choice, description);
      showAgain();
    });
    void choice.warning.then((text) => {
      if (text === undefined) return;
      warnings.set(choice, text);
      showAgain();
    });
  }
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item !== undefined) {
        resolve({ action: 'choose', choice: item.choice });
        pick.hide();
      }
    });
    pick.onDidTriggerItemButton(({ item }) => {
      resolve({ action: 'options', choice: item.choice });
      pick.hide();
    });
    pick.onDidTriggerButton(() => {
      resolve({ action: 'edit' });
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

function detailOf(
  { problem, note }: TemplateChoice,
  warning: string | undefined,
): Pick<vscode.QuickPickItem, 'detail'> {
  const text = problem ?? warning ?? note;
  return text === undefined ? {} : { detail: label(text, 500) };
}
