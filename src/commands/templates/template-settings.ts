import * as vscode from 'vscode';
import type { UserTemplate } from '../../execution/template';
import { parseTemplates, type TemplateEntry } from '../../execution/template-problems';
import { BUILT_IN_TEMPLATE } from '../../wording/names';

const SECTION = 'notebookExecutions';

/** The template that is always there. */
const THIS_MACHINE: UserTemplate = {
  name: BUILT_IN_TEMPLATE,
  service: 'embedded',
  executionTemplate: {},
  runOptions: {},
};

/** Every template that holds for a notebook: the built-in one, then the person's, then the workspace's. */
export function templatesFor(resource: vscode.Uri | undefined): TemplateEntry[] {
  return [{ name: BUILT_IN_TEMPLATE, template: THIS_MACHINE }, ...ownTemplates(resource)];
}

/** Every template that can be used somewhere in this window. */
export function usableTemplates(): UserTemplate[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return [undefined, ...folders.map(({ uri }) => uri)]
    .flatMap((resource) => templatesFor(resource))
    .flatMap(({ template }) => template ?? []);
}

/** The template of this name that can be used; undefined where there is none. */
export function templateNamed(name: string, resource: vscode.Uri | undefined): UserTemplate | undefined {
  return templatesFor(resource).find((entry) => entry.name === name)?.template;
}

/**
 * The setting in all its scopes together, where VS Code lets a narrower scope replace a wider one: a team's templates in
 * a workspace do not take the person's own away. A template of a narrower scope does replace its namesake.
 */
function ownTemplates(resource: vscode.Uri | undefined): TemplateEntry[] {
  const scopes = vscode.workspace.getConfiguration(SECTION, resource ?? null).inspect<unknown>('templates');
  const entries = new Map<string, TemplateEntry>();
  // A folder's setting and a workspace's are the same file where one folder is open.
  const values = vscode.workspace.isTrusted
    ? [scopes?.globalValue, scopes?.workspaceValue, scopes?.workspaceFolderValue]
    : [scopes?.globalValue];
  for (const [scope, value] of values.entries()) {
    for (const [index, entry] of parseTemplates(value, [BUILT_IN_TEMPLATE]).entries()) {
      // Within one scope a name twice is a problem of its second entry, and both are shown.
      const duplicate = entry.problems?.some((problem) => problem.code === 'duplicateName') ?? false;
      entries.set(entry.name === '' || duplicate ? `${scope} ${index}` : `name ${entry.name}`, entry);
    }
  }
  return [...entries.values()];
}

/** Name of the template to select first: the setting's; undefined where it names none. */
export function defaultTemplateName(resource: vscode.Uri | undefined): string | undefined {
  const name = vscode.workspace.getConfiguration(SECTION, resource ?? null).get<unknown>('defaultTemplate');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Makes this template the one that is selected first, in the scope where a default is set already, else for the person. */
export async function setDefaultTemplate(name: string): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const inWorkspace = configuration.inspect('defaultTemplate')?.workspaceValue !== undefined;
  await configuration.update(
    'defaultTemplate',
    name,
    inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
  );
}

/** Adds a template to the setting of a scope, in place of its namesake there. What else stands there is kept as it is. */
export async function saveTemplate(
  template: UserTemplate,
  target: vscode.ConfigurationTarget,
): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const scopes = configuration.inspect<unknown>('templates');
  const value: unknown =
    target === vscode.ConfigurationTarget.Global ? scopes?.globalValue : scopes?.workspaceValue;
  const list: unknown[] = Array.isArray(value) ? value : [];
  const others = list.filter(
    (item) => typeof item !== 'object' || item === null || Reflect.get(item, 'name') !== template.name,
  );
  // Empty blocks say nothing.
  const saved = Object.fromEntries(
    Object.entries<unknown>({ ...template }).filter(
      ([, part]) =>
        part !== undefined && !(typeof part === 'object' && part !== null && Object.keys(part).length === 0),
    ),
  );
  await configuration.update('templates', [...others, saved], target);
}

/** Opens the settings file that holds templates: the workspace's where it has some, else the person's. */
export async function editTemplates(): Promise<void> {
  const scopes = vscode.workspace.getConfiguration(SECTION).inspect('templates');
  const command =
    scopes?.workspaceValue === undefined
      ? 'workbench.action.openSettingsJson'
      : 'workbench.action.openWorkspaceSettingsFile';
  await vscode.commands.executeCommand(command, {
    revealSetting: { key: `${SECTION}.templates`, edit: true },
  });
}
