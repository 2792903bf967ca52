import { l10n } from 'vscode';
import type { TemplateProblem } from '../execution/templates/template-problems';

/** A template's problems as sentences, for the picker and for errors. */
export function sentenceOfProblems(problems: readonly TemplateProblem[]): string {
  return problems.map(sentenceOf).join(' ');
}

function sentenceOf(problem: TemplateProblem): string {
  const { field } = problem;
  switch (problem.code) {
    case 'unknownField':
      return problem.suggestion === undefined
        ? l10n.t('It has an unknown field “{0}”.', field)
        : l10n.t('It has an unknown field “{0}”; did you mean “{1}”?', field, problem.suggestion);
    case 'missingField':
      return l10n.t('“{0}” is missing.', field);
    case 'wrongType':
      return field === ''
        ? l10n.t('It must be of type {0}.', problem.expected)
        : l10n.t('“{0}” must be of type {1}.', field, problem.expected);
    case 'wrongValue':
      return l10n.t('“{0}” has an invalid value. Allowed: {1}.', field, problem.allowed);
    case 'duplicateName':
      return l10n.t('Another template has this name.');
  }
}
