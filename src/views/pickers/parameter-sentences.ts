import * as vscode from 'vscode';
import { closest } from '../../execution/closest';
import { label } from '../../wording/text';
import type { FormParameter, ParameterForm } from './parameter-form';
import type { ValueProblem } from './parameter-value';

/** Says that the notebook does not declare a name, and suggests a similar one. */
export function undeclaredSentence(form: ParameterForm, name: string): string {
  const suggestion = closest(
    name,
    form.declared.map((declared) => declared.name),
  );
  return suggestion === undefined
    ? vscode.l10n.t('The notebook does not declare “{0}”.', label(name))
    : vscode.l10n.t(
        'The notebook does not declare “{0}”. Did you mean “{1}”?',
        label(name),
        label(suggestion),
      );
}

/** The prompt for a parameter's value. */
export function promptOf(name: string, declared: FormParameter | undefined): string {
  const kind = declared === undefined ? '' : kindLabel(declared);
  const comment = label(declared?.comment ?? '', 200);
  return [kind === '' ? name : vscode.l10n.t('{0}: {1}', name, kind), comment]
    .filter((part) => part !== '')
    .join(' — ');
}

function kindLabel({ kind, optional }: FormParameter): string {
  const names: Record<FormParameter['kind'], string> = {
    int: vscode.l10n.t('a whole number'),
    float: vscode.l10n.t('a number'),
    bool: vscode.l10n.t('True or False'),
    string: vscode.l10n.t('text'),
    list: vscode.l10n.t('a list, such as [1, 2]'),
    dict: vscode.l10n.t('a mapping, such as {"a": 1}'),
    any: vscode.l10n.t('any value'),
  };
  return optional && kind !== 'any' ? vscode.l10n.t('{0}, or None', names[kind]) : names[kind];
}

/** Why the input is not a valid value. */
export function sentenceOf(problem: ValueProblem): string {
  switch (problem) {
    case 'notInt':
      return vscode.l10n.t('Must be a whole number.');
    case 'notFloat':
      return vscode.l10n.t('Must be a number.');
    case 'notBool':
      return vscode.l10n.t('Must be True or False.');
    case 'notText':
      return vscode.l10n.t('Must be text. Put it into quotes in YAML.');
    case 'notList':
      return vscode.l10n.t('Must be a list, such as [1, 2].');
    case 'notDict':
      return vscode.l10n.t('Must be a mapping, such as {"a": 1}.');
    case 'notChoice':
      return vscode.l10n.t('Must be one of the values that the notebook allows.');
    case 'notValue':
      return vscode.l10n.t('This cannot be read as a value. Put text into quotes.');
  }
}

/** What masking cannot hide: the executed notebook contains the parameters in a cell. */
export function secretSentence(): string {
  return vscode.l10n.t(
    'It is masked in views and messages, but the executed notebook shows it in its parameters cell.',
  );
}
