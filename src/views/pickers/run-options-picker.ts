import * as vscode from 'vscode';
import type { TemplateRunOptions, UserTemplate } from '../../execution/templates/template';
import { label } from '../../wording/text';

/** One line of the picker. */
interface Option {
  readonly title: string;
  /** The value as displayed and typed; empty if it is not set. */
  readonly text: string;
  readonly unset: string;
  /** Applies the input; an empty text removes the option. */
  readonly apply: (template: UserTemplate, text: string) => UserTemplate;
  /** Validates the input. Returns an error sentence; undefined if the input is valid. */
  readonly check: (text: string) => string | undefined;
  /** True if choosing the line switches the option on or off without asking for a value. */
  readonly toggle?: boolean;
}

interface Item extends vscode.QuickPickItem {
  readonly option?: Option;
}

/** Lets the user change the run options for this execution. The template in the settings is unchanged. */
export async function pickRunOptions(title: string, template: UserTemplate): Promise<UserTemplate | 'back'> {
  let current = template;
  let active: string | undefined;
  for (;;) {
    const chosen = await choose(title, optionsOf(current), active);
    if (chosen === 'back' || chosen === undefined) return 'back';
    if (chosen === 'done') return current;
    active = chosen.title;
    if (chosen.toggle === true) {
      current = chosen.apply(current, chosen.text === '' ? 'true' : '');
      continue;
    }
    const text = await vscode.window.showInputBox({
      title,
      prompt: chosen.title,
      placeHolder: chosen.unset,
      value: chosen.text,
      ignoreFocusOut: true,
      validateInput: (input) => (input.trim() === '' ? undefined : chosen.check(input.trim())),
    });
    if (text !== undefined) current = chosen.apply(current, text.trim());
  }
}

function choose(
  title: string,
  options: readonly Option[],
  active: string | undefined,
): Promise<Option | 'done' | 'back' | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('Continue, or choose an option to change it');
  pick.ignoreFocusOut = true;
  pick.buttons = [vscode.QuickInputButtons.Back];
  pick.items = [
    { label: vscode.l10n.t('Use These Options'), iconPath: new vscode.ThemeIcon('check') },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    ...options.map((option): Item => ({
      option,
      label: option.title,
      description:
        option.toggle === true
          ? option.text === ''
            ? vscode.l10n.t('no')
            : vscode.l10n.t('yes')
          : option.text === ''
            ? option.unset
            : label(option.text),
    })),
  ];
  const activeItem = pick.items.find((item) => active !== undefined && item.option?.title === active);
  if (activeItem !== undefined) pick.activeItems = [activeItem];
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item !== undefined) {
        resolve(item.option ?? 'done');
        pick.hide();
      }
    });
    pick.onDidTriggerButton(() => {
      resolve('back');
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

function optionsOf(template: UserTemplate): Option[] {
  const { runOptions, executionTemplate } = template;
  const noLimit = vscode.l10n.t('no limit');
  // Vertex AI API v1 has `executionTimeout`. The Notebooks API has no time limit.
  const limit = seconds(
    vscode.l10n.t('Time Limit of the Execution'),
    template.service === 'vertex' ? vscode.l10n.t('24 hours') : noLimit,
    runOptions,
    'timeout',
  );
  const ofThisMachine = [
    seconds(vscode.l10n.t('Time Limit of Each Cell'), noLimit, runOptions, 'cellTimeout'),
    flag(vscode.l10n.t('Continue on Error'), runOptions, 'allowErrors'),
    {
      title: vscode.l10n.t('Attempts'),
      text: runOptions.maxAttempts === undefined ? '' : String(runOptions.maxAttempts),
      unset: '1',
      check: (text: string) =>
        /^(?:[1-9]|10)$/.test(text) ? undefined : vscode.l10n.t('Must be a whole number from 1 to 10.'),
      apply: (current: UserTemplate, text: string) =>
        withOption(current, 'maxAttempts', text === '' ? undefined : Number(text)),
    },
  ];
  const ofEach = [
    plain(
      vscode.l10n.t('Kernel'),
      vscode.l10n.t("the notebook's own"),
      executionTemplate.kernelSpec,
      (current, text) => ({
        ...current,
        executionTemplate: without({ ...current.executionTemplate, kernelSpec: text }, 'kernelSpec', text),
      }),
    ),
    plain(
      vscode.l10n.t('Output Folder'),
      template.service === 'embedded' ? vscode.l10n.t('kept by the service') : vscode.l10n.t('required'),
      executionTemplate.outputNotebookFolder,
      (current, text) => ({
        ...current,
        executionTemplate: without(
          { ...current.executionTemplate, outputNotebookFolder: text },
          'outputNotebookFolder',
          text,
        ),
      }),
    ),
  ];
  if (template.service !== 'embedded') return [...(template.service === 'vertex' ? [limit] : []), ...ofEach];
  const text = (
    title: string,
    unset: string,
    key: 'workingDirectory' | 'interpreter' | 'outputName',
  ): Option =>
    plain(title, unset, runOptions[key], (current, value) =>
      withOption(current, key, value === '' ? undefined : value),
    );
  return [
    limit,
    ...ofThisMachine,
    ...ofEach,
    text(
      vscode.l10n.t('Output Name'),
      vscode.l10n.t('{name}, {date}, {time} and {id} are replaced'),
      'outputName',
    ),
    text(vscode.l10n.t('Working Directory'), vscode.l10n.t('the folder of the notebook'), 'workingDirectory'),
    text(
      vscode.l10n.t('Python Interpreter'),
      vscode.l10n.t('the one selected for the workspace'),
      'interpreter',
    ),
    flag(vscode.l10n.t('Write Outputs Back into the Notebook'), runOptions, 'writeBack'),
  ];
}

function seconds(
  title: string,
  unset: string,
  runOptions: TemplateRunOptions,
  key: 'timeout' | 'cellTimeout',
): Option {
  const value = runOptions[key];
  return {
    title: vscode.l10n.t('{0} (Seconds)', title),
    text: value === undefined ? '' : String(value),
    unset,
    check: (text) =>
      /^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0
        ? undefined
        : vscode.l10n.t('Must be a number of seconds above 0.'),
    apply: (current, text) => withOption(current, key, text === '' ? undefined : Number(text)),
  };
}

function flag(title: string, runOptions: TemplateRunOptions, key: 'allowErrors' | 'writeBack'): Option {
  return {
    title,
    text: runOptions[key] === true ? 'true' : '',
    unset: '',
    toggle: true,
    check: () => undefined,
    apply: (current, text) => withOption(current, key, text === '' ? undefined : true),
  };
}

function plain(
  title: string,
  unset: string,
  value: string | undefined,
  apply: (current: UserTemplate, text: string) => UserTemplate,
): Option {
  return { title, text: value ?? '', unset, check: () => undefined, apply };
}

function withOption<K extends keyof TemplateRunOptions>(
  template: UserTemplate,
  key: K,
  value: TemplateRunOptions[K],
): UserTemplate {
  const { [key]: _, ...others } = template.runOptions;
  return { ...template, runOptions: value === undefined ? others : { ...others, [key]: value } };
}

function without<T extends object>(object: T, key: keyof T, text: string): T {
  if (text === '') Reflect.deleteProperty(object, key);
  return object;
}
