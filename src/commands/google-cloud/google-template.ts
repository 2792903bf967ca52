import * as vscode from 'vscode';
import type { CloudDirectory, CloudResource } from '../../execution/cloud-directory';
import { ServiceError } from '../../execution/errors';
import {
  type GoogleServiceKind,
  type TemplateRunOptions,
  type UserTemplate,
} from '../../execution/templates/template';
import { serviceIdOf } from '../../execution/templates/service-id';
import { serviceName } from '../../wording/names';
import { label } from '../../wording/text';
import { problemOf } from '../../wording/problem-sentences';
import { underProgress } from '../../wording/progress';
import { saveTemplate, templatesFor } from '../templates/template-settings';

/** Machine type of a new template: small and available in every region. */
const MACHINE_TYPE = 'n1-standard-4';

/** Container image of a new Notebooks API template: Google's image without accelerators. */
const IMAGE = 'gcr.io/deeplearning-platform-release/base-cpu';

/** Folder for outputs in the chosen bucket. */
const FOLDER = 'notebook-executions';

/** Asks for service, project, location and bucket, saves the template in the user's settings, and opens it there. */
export async function newGoogleTemplate(directory: () => Promise<CloudDirectory>): Promise<void> {
  const title = vscode.l10n.t('New Google Cloud Template');
  const service = await pickService(title);
  if (service === undefined) return;

  const cloud = await directory();
  const pick = (
    what: string,
    example: string,
    list: (signal: AbortSignal) => Promise<readonly CloudResource[]>,
  ) => pickListed(title, what, example, list);
  const project = await pick(vscode.l10n.t('Project'), 'my-project', (signal) => cloud.projects(signal));
  if (project === undefined) return;

  const location = await pick(vscode.l10n.t('Location'), 'us-central1', (signal) =>
    cloud.locations(service, project, signal),
  );
  if (location === undefined) return;

  const bucket = await pick(vscode.l10n.t('Bucket for Inputs and Outputs'), 'my-bucket', (signal) =>
    cloud.buckets(project, location, signal),
  );
  if (bucket === undefined) return;

  const runtime = service === 'vertex' ? await pickRuntime(title, cloud, project, location) : '';
  if (runtime === undefined) return;

  const identity = service === 'vertex' ? await askIdentity(title, project) : '';
  if (identity === undefined) return;

  const image = service === 'notebooks' ? await askImage(title) : '';
  if (image === undefined) return;

  const isServiceAccount = identity.endsWith('.gserviceaccount.com');
  const vertex: NonNullable<TemplateRunOptions['vertex']> = {
    ...(runtime === '' ? {} : { runtimeTemplate: runtime }),
    ...(identity === '' || isServiceAccount ? {} : { executionUser: identity }),
  };
  const template: UserTemplate = {
    name: freeName(serviceName(serviceIdOf({ service, project, location }))),
    service,
    project,
    location,
    executionTemplate: {
      ...(runtime === '' ? { masterType: MACHINE_TYPE } : {}),
      ...(image === '' ? {} : { containerImageUri: image }),
      outputNotebookFolder: `gs://${bucket}/${FOLDER}`,
      ...(isServiceAccount ? { serviceAccount: identity } : {}),
    },
    runOptions: Object.keys(vertex).length === 0 ? {} : { vertex },
  };
  await saveTemplate(template, vscode.ConfigurationTarget.Global);
  await openAt(template.name);
}

async function pickService(title: string): Promise<GoogleServiceKind | undefined> {
  const items: (vscode.QuickPickItem & { readonly service: GoogleServiceKind })[] = [
    {
      service: 'vertex',
      label: vscode.l10n.t('Vertex AI (Agent Platform)'),
      detail: vscode.l10n.t('Notebook execution jobs, with a runtime template or a machine of your choice'),
    },
    {
      service: 'notebooks',
      label: vscode.l10n.t('Notebooks API v1'),
      detail: vscode.l10n.t('Executions of managed notebooks, in projects that still have them'),
    },
  ];
  return (await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Service') }))
    ?.service;
}

/** Lets the user choose a resource that Google lists, or type its id, for example if listing it is not permitted. */
async function pickListed(
  title: string,
  what: string,
  example: string,
  list: (signal: AbortSignal) => Promise<readonly CloudResource[]>,
): Promise<string | undefined> {
  const listed = await listing(what, list);
  if (listed === undefined) return undefined;

  if (listed.choices.length > 0) {
    const typed = { label: vscode.l10n.t('Type Another…'), id: undefined, alwaysShow: true };
    const items = [
      ...listed.choices.map((choice) => ({
        id: choice.id,
        label: label(choice.id),
        ...(choice.label === undefined || choice.label === choice.id
          ? {}
          : { description: label(choice.label) }),
      })),
      typed,
    ];
    const chosen = await vscode.window.showQuickPick(items, {
      title,
      placeHolder: what,
      matchOnDescription: true,
    });
    if (chosen?.id !== undefined || chosen === undefined) return chosen?.id;
  }
  const value = await vscode.window.showInputBox({
    title,
    prompt: listed.problem === undefined ? what : `${what}. ${listed.problem}`,
    placeHolder: example,
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[a-z][\w.:-]*$/.test(text) ? undefined : vscode.l10n.t('For example: {0}', example),
  });
  return value === '' ? undefined : value;
}

/** Lists Google resources with a progress notification; undefined if cancelled. `problem` says why listing failed. */
async function listing(
  what: string,
  list: (signal: AbortSignal) => Promise<readonly CloudResource[]>,
): Promise<{ choices: readonly CloudResource[]; problem?: string } | undefined> {
  return underProgress(vscode.l10n.t('Loading from Google Cloud: {0}', what), async ({ signal }) => {
    try {
      return { choices: await list(signal) };
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ServiceError)) throw error;
      // Without credentials nothing can be listed, but the user can still type an id.
      return { choices: [], problem: problemOf(error).message };
    }
  });
}

/** Asks for a runtime template of Vertex AI; empty to use a machine type instead; undefined if the user cancelled. */
async function pickRuntime(
  title: string,
  cloud: CloudDirectory,
  project: string,
  location: string,
): Promise<string | undefined> {
  const listed = await listing(vscode.l10n.t('Runtime Templates'), (signal) =>
    cloud.runtimeTemplates(project, location, signal),
  );
  if (listed === undefined || listed.choices.length === 0) return listed === undefined ? undefined : '';

  const items = [
    { id: '', label: vscode.l10n.t('A machine of type {0}', MACHINE_TYPE) },
    ...listed.choices.map(({ id, label: name }) => ({
      id,
      label: label(name ?? id),
      description: vscode.l10n.t('runtime template'),
    })),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: vscode.l10n.t('What runs the notebook'),
  });
  return chosen?.id;
}

/** Vertex AI requires the account that the notebook runs as. Returns undefined if the user cancelled. */
async function askIdentity(title: string, project: string): Promise<string | undefined> {
  const example = `runner@${project}.iam.gserviceaccount.com`;
  const value = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('E-mail address of the service account or user that the notebook runs as'),
    placeHolder: example,
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[^@\s]+@[^@\s]+$/.test(text.trim()) ? undefined : vscode.l10n.t('Not a valid e-mail address.'),
  });
  return value?.trim();
}

/** The Notebooks API requires the container image that runs the notebook. Returns undefined if the user cancelled. */
async function askImage(title: string): Promise<string | undefined> {
  const value = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('Container image that the notebook runs in'),
    value: IMAGE,
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[\w.-]+(?::\d+)?\/\S+$/.test(text.trim()) ? undefined : vscode.l10n.t('For example: {0}', IMAGE),
  });
  return value?.trim();
}

function freeName(base: string): string {
  const taken = new Set(templatesFor(undefined).map(({ name }) => name));
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base} ${String(count)}`;
    if (!taken.has(name)) return name;
  }
}

/** Opens the user's settings with the template of this name selected. */
async function openAt(name: string): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettingsJson', {
    revealSetting: { key: 'notebookExecutions.templates', edit: false },
  });
  const editor = vscode.window.activeTextEditor;
  const text = JSON.stringify(name);
  const offset = editor?.document.getText().lastIndexOf(text) ?? -1;
  if (editor === undefined || offset < 0) return;

  const { document } = editor;
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + text.length));
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenter);
}
