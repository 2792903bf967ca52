import * as vscode from 'vscode';
import type { UserTemplate } from '../../execution/templates/template';
import { parseTemplates, type TemplateEntry } from '../../execution/templates/template-problems';
import { BUILT_IN_TEMPLATE } from '../../wording/names';

const SECTION = 'notebookExecutions';

/** The built-in template. */
const THIS_MACHINE: UserTemplate = {
  name: BUILT_IN_TEMPLATE,
  service: 'embedded',
  executionTemplate: {},
  runOptions: {},
};

/** Every template available for a notebook: the built-in one, then the user's, then the workspace's. */
export function templatesFor(resource: vscode.Uri | undefined): TemplateEntry[] {
  return [{ name: BUILT_IN_TEMPLATE, template: THIS_MACHINE }, ...ownTemplates(resource)];
}

/** Every valid template of this window. */
export function usableTemplates(): UserTemplate[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return [undefined, ...folders.map(({ uri }) => uri)]
    .flatMap((resource) => templatesFor(resource))
    .flatMap(({ template }) => template ?? []);
}

/** The valid template of this name; undefined if there is none. */
export function templateNamed(name: string, resource: vscode.Uri | undefined): UserTemplate | undefined {
  return templatesFor(resource).find((entry) => entry.name === name)?.template;
}

/**
 * The setting merged from all scopes. VS Code lets a narrower scope replace a wider one, but the workspace templates
 * of a team should not hide the user's own templates. Only a template of the same name replaces one of a wider scope.
 */
function ownTemplates(resource: vscode.Uri | undefined): TemplateEntry[] {
  const scopes = vscode.workspace.getConfiguration(SECTION, resource ?? null).inspect<unknown>('templates');
  const entries = new Map<string, TemplateEntry>();
  // With a single folder open, the folder's setting and the workspace's are the same file.
  const values = vscode.workspace.isTrusted
    ? [scopes?.globalValue, scopes?.workspaceValue, scopes?.workspaceFolderValue]
    : [scopes?.globalValue];
  for (const [scope, value] of values.entries()) {
    for (const [index, entry] of parseTemplates(value, [BUILT_IN_TEMPLATE]).entries()) {
      // A duplicate name within one scope is a problem of the second template; both are shown.
      const duplicate = entry.problems?.some((problem) => problem.code === 'duplicateName') ?? false;
      entries.set(entry.name === '' || duplicate ? `${scope} ${index}` : `name ${entry.name}`, entry);
    }
  }
  return [...entries.values()];
}

/** Name of the template to preselect, from the setting; undefined if the setting is empty. */
export function defaultTemplateName(resource: vscode.Uri | undefined): string | undefined {
  const name = vscode.workspace.getConfiguration(SECTION, resource ?? null).get<unknown>('defaultTemplate');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Makes this the default template: in the workspace if a default is set there, else in the user settings. */
export async function setDefaultTemplate(name: string): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const inWorkspace = configuration.inspect('defaultTemplate')?.workspaceValue !== undefined;
  await configuration.update(
    'defaultTemplate',
    name,
    inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
  );
}

/** Adds a template to the setting of a scope, replacing one of the same name. Other entries are unchanged. */
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
  // Omit empty objects.
  const saved = Object.fromEntries(
    Object.entries<unknown>({ ...template }).filter(
      ([, part]) =>
        part !== undefined && !(typeof part === 'object' && part !== null && Object.keys(part).length === 0),
    ),
  );
  await configuration.update('templates', [...others, saved], target);
}

/** Opens the settings file with the templates: the workspace's if it has templates, else the user's. */
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
