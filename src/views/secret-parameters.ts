import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { SECRET_PARAMETERS } from '../execution/secret-names';

const PatternsSchema = z.array(z.string());

/** The setting: patterns of the names of parameters whose values are not shown. One that cannot be read hides the usual. */
export function secretPatterns(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('notebookExecutions').get<unknown>('secretParameters');
  const patterns = PatternsSchema.safeParse(setting);
  return patterns.success ? patterns.data : SECRET_PARAMETERS;
}
