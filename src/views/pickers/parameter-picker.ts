import * as vscode from 'vscode';
import type { ParametersReading } from '../../notebook/parameters/parse';
import { yamlWordWarnings } from '../../notebook/parameters/yaml/words';
import { isSecretName, MASK } from '../../execution/secrets/secret-names';
import { secretPatterns } from '../../wording/names';
import { warningSentence } from '../../wording/warning-sentences';
import { label } from '../../wording/text';
import { promptOf, secretSentence, sentenceOf, undeclaredSentence } from './parameter-sentences';
import type { FormParameter, ParameterForm, ParameterRow } from './parameter-form';
import { valueText } from './parameter-value';
import { confirmUndeclared } from './undeclared-parameters';

/** How the user left the picker; undefined if the user closed it. */
export type ParametersPick = 'execute' | 'back' | undefined;

export interface ParameterPickerOptions {
  readonly title: string;
  readonly form: ParameterForm;
  /** Whether there is a previous step. */
  readonly canGoBack: boolean;
  /** Notes about the parameters. */
  readonly notes: readonly string[];
  /** Reads a YAML file that the user chooses; undefined if the user cancelled. Rejects if the file is invalid. */
  readonly loadYaml: () => Promise<ParametersReading | undefined>;
}

type Action = 'execute' | 'loadYaml' | 'add' | 'resetAll';
interface Item extends vscode.QuickPickItem {
  readonly action?: Action;
  readonly row?: ParameterRow;
}
type ParameterChoice =
  ParametersPick | Action | { readonly edit: ParameterRow } | { readonly reset: ParameterRow };

/** Longer values are not put into an input box, because they would freeze the window. In characters. */
const LONGEST_EDITABLE = 20_000;

/** Shows all parameters with their values. The user edits them and then executes, goes back or closes the picker. */
export async function pickParameters(options: ParameterPickerOptions): Promise<ParametersPick> {
  const { form } = options;
  let active: string | undefined;
  for (;;) {
    const choice = await choose(options, active);
    if (choice === undefined || choice === 'back') return choice;

    if (choice === 'execute') {
      if (!(await confirmUndeclared(form))) continue;
      active = invalidNames(form)[0];
      if (active === undefined) return 'execute';
      await editParameter(form, active, options.title);
    } else if (choice === 'loadYaml') {
      const loaded = await options.loadYaml();
      if (loaded !== undefined) form.load(loaded);
      // Enter executes, or selects the first invalid parameter.
      active = invalidNames(form)[0];
    } else if (choice === 'resetAll') {
      form.resetAll();
    } else if (choice === 'add') {
      active = await addParameter(form, options.title);
    } else if ('reset' in choice) {
      form.reset(choice.reset.name);
      active = choice.reset.name;
    } else {
      // Enter then executes with the new value; without a new value, the same parameter can be chosen again.
      active = (await editParameter(form, choice.edit.name, options.title)) ? undefined : choice.edit.name;
    }
  }
}

/** Names of parameters with invalid values. */
function invalidNames(form: ParameterForm): string[] {
  return form.rows().flatMap(({ name, problem }) => (problem === undefined ? [] : [name]));
}

function choose(options: ParameterPickerOptions, active: string | undefined): Promise<ParameterChoice> {
  const { form } = options;
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = options.title;
  pick.placeholder = vscode.l10n.t('Execute, or choose a parameter to change it');
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  pick.buttons = options.canGoBack ? [vscode.QuickInputButtons.Back] : [];
  const reset: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('discard'),
    tooltip: vscode.l10n.t('Reset to the Default'),
  };
  const changed = form.rows().filter(({ value }) => value !== undefined).length;
  const invalid = invalidNames(form).length;
  const rows = form.rows().map((row): Item => rowItem(row, reset));
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator };
  pick.items = [
    {
      action: 'execute',
      label: vscode.l10n.t('Execute'),
      iconPath: new vscode.ThemeIcon('run-all'),
      description:
        invalid > 0
          ? vscode.l10n.t('after values that cannot be used are changed: {0}', invalid)
          : changed === 0
            ? vscode.l10n.t('with the defaults')
            : changed === 1
              ? vscode.l10n.t('with 1 parameter set')
              : vscode.l10n.t('with {0} parameters set', changed),
    },
    ...[...options.notes, ...wordNotes(form)].map((note) => ({
      label: label(note, 200),
      iconPath: new vscode.ThemeIcon('warning'),
    })),
    ...(rows.length === 0 ? [] : [{ ...separator, label: vscode.l10n.t('Parameters') }]),
    ...rows,
    separator,
    { action: 'add', label: vscode.l10n.t('Add Parameter…'), iconPath: new vscode.ThemeIcon('add') },
    { action: 'loadYaml', label: vscode.l10n.t('Load YAML…'), iconPath: new vscode.ThemeIcon('file') },
    ...(changed === 0
      ? []
      : [
          {
            action: 'resetAll',
            label: vscode.l10n.t('Reset All'),
            iconPath: new vscode.ThemeIcon('discard'),
          } as const,
        ]),
  ];
  const activeItem = pick.items.find((item) => active !== undefined && item.row?.name === active);
  if (activeItem !== undefined) pick.activeItems = [activeItem];

  return new Promise((resolve) => {
    const done = (choice: ParameterChoice): void => {
      resolve(choice);
      pick.hide();
    };
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item?.row !== undefined) done({ edit: item.row });
      else if (item?.action !== undefined) done(item.action);
    });
    pick.onDidTriggerItemButton(({ item }) => {
      if (item.row !== undefined) done({ reset: item.row });
    });
    pick.onDidTriggerButton(() => {
      done('back');
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** How many notes about words that papermill reads differently are shown one by one. */
const MOST_WORD_NOTES = 5;

function wordNotes(form: ParameterForm): string[] {
  const notes = yamlWordWarnings(form.words(), secretPatterns()).map(warningSentence);
  const more = notes.length - MOST_WORD_NOTES;
  return more <= 0
    ? notes
    : [
        ...notes.slice(0, MOST_WORD_NOTES),
        vscode.l10n.t('YAML 1.1 reads {0} more values differently.', more),
      ];
}

function rowItem(row: ParameterRow, reset: vscode.QuickInputButton): Item {
  const { declared, value, problem } = row;
  const secret = isSecret(row.name);
  const shown = (text: string): string => (secret && text !== '' ? MASK : text);
  const text =
    value === undefined ? (declared?.defaultText ?? '') : valueText(value, declared?.kind ?? 'any');
  const notes = [
    problem === undefined ? '' : sentenceOf(problem),
    declared === undefined ? vscode.l10n.t('not declared by the notebook') : '',
    declared === undefined || value === undefined
      ? ''
      : vscode.l10n.t('default: {0}', label(shown(declared.defaultText), 60)),
    label(declared?.comment ?? '', 120),
    secret ? vscode.l10n.t('masked here; the executed notebook shows it') : '',
  ].filter((note) => note !== '');
  return {
    row,
    label: label(row.name, 100),
    description: label(shown(text), 100),
    iconPath: new vscode.ThemeIcon(
      problem !== undefined
        ? 'error'
        : declared === undefined
          ? 'question'
          : value === undefined
            ? 'symbol-parameter'
            : 'edit',
    ),
    ...(notes.length === 0 ? {} : { detail: notes.join(' · ') }),
    ...(value === undefined ? {} : { buttons: [reset] }),
  };
}

/** Asks for a parameter's value. Returns whether it was set. */
async function editParameter(form: ParameterForm, name: string, title: string): Promise<boolean> {
  const declared = form.declaredAs(name);
  const options = optionsOf(declared);
  if (options !== undefined) {
    const current = form.textOf(name);
    const chosen = await vscode.window.showQuickPick(
      options.map((option) => ({
        label: label(option),
        option,
        ...(option === current ? { description: vscode.l10n.t('current') } : {}),
      })),
      { title, placeHolder: label(name), ignoreFocusOut: true },
    );
    return chosen !== undefined && setTyped(form, name, chosen.option);
  }
  const secret = isSecret(name);
  const text = form.textOf(name);
  const long = text.length > LONGEST_EDITABLE;
  const entered = await vscode.window.showInputBox({
    // A validation message replaces the prompt, but the title stays visible.
    title: vscode.l10n.t('{0}: {1}', title, label(name, 60)),
    prompt: long
      ? vscode.l10n.t('{0}: its value has {1} characters. What you type replaces it.', name, text.length)
      : [promptOf(name, declared), ...(secret ? [secretSentence()] : [])].join(' — '),
    password: secret,
    value: long ? '' : text,
    ignoreFocusOut: true,
    validateInput: (input) => {
      const { problem } = form.parse(name, input);
      return problem === undefined ? undefined : sentenceOf(problem);
    },
  });
  // An unchanged default stays the notebook's default, which may be an expression.
  return entered !== undefined && entered !== text && setTyped(form, name, entered);
}

/** Sets a parameter to a typed value. Returns false if the value cannot be used. */
function setTyped(form: ParameterForm, name: string, text: string): boolean {
  const parsed = form.parse(name, text);
  if (parsed.value === undefined) return false;
  form.set(name, parsed.value, parsed.words);
  return true;
}

function isSecret(name: string): boolean {
  return isSecretName(name, secretPatterns());
}

/** Values to choose from instead of typing; undefined if the value is typed. */
function optionsOf(declared: FormParameter | undefined): readonly string[] | undefined {
  if (declared?.choices !== undefined) return declared.choices;

  return declared?.kind === 'bool' ? ['True', 'False', ...(declared.optional ? ['None'] : [])] : undefined;
}

async function addParameter(form: ParameterForm, title: string): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('Name of the parameter'),
    ignoreFocusOut: true,
    validateInput: (input) => {
      if (!/^[\p{L}_][\p{L}\p{N}_.]*$/u.test(input))
        return vscode.l10n.t('A name has letters, digits and underscores, and does not start with a digit.');

      return form.declaredAs(input) === undefined ? warning(undeclaredSentence(form, input)) : undefined;
    },
  });
  if (name !== undefined) await editParameter(form, name, title);

  return name;
}

function warning(message: string): vscode.InputBoxValidationMessage {
  return { message, severity: vscode.InputBoxValidationSeverity.Warning };
}
