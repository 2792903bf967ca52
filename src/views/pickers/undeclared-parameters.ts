import * as vscode from 'vscode';
import { closest } from '../../execution/closest';
import { label } from '../../wording/text';
import type { ParameterForm } from './parameter-form';
import { undeclaredSentence } from './parameter-sentences';

/** Asks about names that the notebook does not declare. Returns true if the notebook should be executed. */
export async function confirmUndeclared(form: ParameterForm): Promise<boolean> {
  // A notebook without declared parameters gives nothing to compare with.
  const undeclared = form.declared.length === 0 ? [] : form.undeclared();
  for (const name of undeclared) {
    const suggestion = closest(
      name,
      form.declared.map((declared) => declared.name),
    );
    const keep = { label: vscode.l10n.t('Keep “{0}”', label(name)), action: 'keep' } as const;
    const remove = { label: vscode.l10n.t('Remove it'), action: 'remove' } as const;
    const rename =
      suggestion === undefined
        ? []
        : [{ label: vscode.l10n.t('Set “{0}” instead', label(suggestion)), action: 'rename' } as const];
    const chosen = await vscode.window.showQuickPick([...rename, keep, remove], {
      title: undeclaredSentence(form, name),
      ignoreFocusOut: true,
    });
    if (chosen === undefined) return false;

    const row = form.rows().find((candidate) => candidate.name === name);
    if (chosen.action !== 'keep') form.reset(name);

    if (chosen.action === 'rename' && suggestion !== undefined && row?.value !== undefined)
      form.set(suggestion, row.value);
  }
  return true;
}
