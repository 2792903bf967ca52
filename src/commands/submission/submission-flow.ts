import * as path from 'node:path';
import * as vscode from 'vscode';
import { serviceIdOf } from '../../execution/templates/service-id';
import type { UserTemplate } from '../../execution/templates/template';
import type { NotebookReading } from '../../notebook/document';
import type { ParametersReading } from '../../notebook/parameters/parse';
import { inspectParameters } from '../../notebook/parameters/inspect';
import { formParameters, ParameterForm } from '../../views/pickers/parameter-form';
import { pickParameters } from '../../views/pickers/parameter-picker';
import { pickRunOptions } from '../../views/pickers/run-options-picker';
import { pickTemplate, type TemplateChoice } from '../../views/pickers/template-picker';
import { BUILT_IN_TEMPLATE, serviceName, templateLabel } from '../../wording/names';
import { oneLine } from '../../wording/text';
import { pythonLabel } from '../../python/python-label';
import { loadParametersFile, readParametersText } from './parameter-texts';
import { Problem } from '../../wording/problem';
import { templatePython } from './submission';
import type { SubmissionChoice, SubmissionMemory } from './submission-memory';
import { sentenceOfProblems } from '../../wording/template-sentences';
import { templateSummary } from '../../wording/template-summary';
import { defaultTemplateName, editTemplates, templatesFor } from '../templates/template-settings';

/** The user's answers before a notebook is submitted. */
export interface Answers {
  /** The template with the run options changed for this notebook. */
  readonly template: UserTemplate;
  /** YAML or JSON mapping; undefined if there are none besides the template's parameter file. */
  readonly parameters: string | undefined;
  /** What to remember for the next submission. */
  readonly choice: SubmissionChoice;
}

/** Kernelspec names that do not identify a particular Python. Other names identify a kernel. */
const PYTHON_KERNEL = /^python[23]?$/i;

/** A choice of the picker and its template. */
interface Candidate extends TemplateChoice {
  readonly template: UserTemplate | undefined;
}

/**
 * Asks for template and parameters, with a Back button between them. Returns undefined if the user cancelled.
 * @param initial preselected values: of the last submission, or of the execution that is run again.
 * @param ignored returns the fields of a template that its service ignores.
 * @param missingKernel returns the template's kernel if it is not installed; never rejects.
 * @param python name of the Python that runs the notebook unless the template sets one; never rejects.
 */
export async function askForSubmission(
  source: vscode.Uri,
  reading: NotebookReading,
  initial: SubmissionChoice | undefined,
  memory: SubmissionMemory,
  ignored: (template: UserTemplate) => readonly string[],
  missingKernel: (template: UserTemplate) => Promise<string | undefined>,
  python: Promise<string | undefined>,
): Promise<Answers | undefined> {
  const title = vscode.l10n.t('Execute {0}', oneLine(path.posix.basename(source.path)));
  const { parameters, warnings } = inspectParameters(reading.notebook);
  const declared = formParameters(parameters);
  let preselected = initial?.template ?? defaultTemplateName(source) ?? memory.lastTemplate;
  // Keeps the user's values when the user goes back to choose another template.
  let form: ParameterForm | undefined;
  for (;;) {
    const chosen = await chooseTemplate(title, source, preselected, initial, ignored, missingKernel, python);
    if (chosen === undefined) return undefined;
    const { template } = chosen;
    preselected = template.name;
    form ??= new ParameterForm(declared, startingValues(template, initial));
    const notes = [
      ...(warnings.length === 0 ? [] : [unreadable(warnings[0]?.args?.[0])]),
      ...(initial?.withheld === undefined ? [] : [notRemembered(initial.withheld)]),
    ];
    if (declared.length > 0 || form.undeclared().length > 0 || notes.length > 0) {
      const picked = await pickParameters({
        title,
        form,
        canGoBack: true,
        notes,
        loadYaml: loadParametersFile,
      });
      if (picked === undefined) return undefined;
      if (picked === 'back') continue;
    }
    const text = form.text();
    return {
      template,
      parameters: text,
      choice: {
        template: template.name,
        ...(text === undefined ? {} : { parameters: text }),
        ...(chosen.changed
          ? { options: { runOptions: template.runOptions, executionTemplate: template.executionTemplate } }
          : {}),
      },
    };
  }
}

/** The values of the last submission if there was one, else the template's parameters. */
function startingValues(template: UserTemplate, initial: SubmissionChoice | undefined): ParametersReading {
  const own = template.executionTemplate.parameters;
  if (initial !== undefined)
    return readParametersText(initial.parameters ?? '', vscode.l10n.t('The last parameters'));
  return readParametersText(
    own ?? '',
    vscode.l10n.t('The parameters of the template “{0}”', templateLabel(template.name)),
    [{ label: vscode.l10n.t('Edit Templates'), run: editTemplates }],
  );
}

/** Asks for a template and, if requested, for other run options. Undefined if the user cancelled. */
export async function chooseTemplate(
  title: string,
  source: vscode.Uri,
  preselected: string | undefined,
  initial: SubmissionChoice | undefined,
  ignored: (template: UserTemplate) => readonly string[],
  missingKernel: (template: UserTemplate) => Promise<string | undefined>,
  python: Promise<string | undefined>,
): Promise<{ template: UserTemplate; changed: boolean } | undefined> {
  const choices = templatesFor(source).map((entry): Candidate => {
    const { name, template, problems } = entry;
    const unused = template === undefined ? [] : ignored(template);
    return {
      name,
      template,
      description: template === undefined ? '' : placeOf(template),
      later: template === undefined ? undefined : pythonDescription(template, source, python),
      problem: problems === undefined ? undefined : sentenceOfProblems(problems),
      note: template === undefined ? undefined : noteOf(template, unused),
      warning:
        template === undefined
          ? Promise.resolve(undefined)
          : missingKernel(template).then((kernel) => (kernel === undefined ? undefined : noKernel(kernel))),
    };
  });
  let active = preselected;
  for (;;) {
    const pick = await pickTemplate({ title, choices, preselected: active });
    if (pick === undefined) return undefined;
    if (pick.action === 'edit') {
      await editTemplates();
      return undefined;
    }
    const { name, problem, template } = pick.choice;
    if (template === undefined) {
      throw new Problem(vscode.l10n.t('The template “{0}” cannot be used. {1}', name, problem ?? ''), [
        { label: vscode.l10n.t('Edit Templates'), run: editTemplates },
      ]);
    }
    if (pick.action === 'choose') return { template, changed: false };
    const start = initial?.template === name ? { ...template, ...initial.options } : template;
    const changed = await pickRunOptions(vscode.l10n.t('{0}: Run Options', templateLabel(name)), start);
    if (changed !== 'back') return { template: changed, changed: true };
    active = name;
  }
}

/** How a template differs from the built-in one, and which of its fields the service ignores. */
function noteOf(template: UserTemplate, unused: readonly string[]): string | undefined {
  const summary = templateSummary(template);
  const ignored = unused.length === 0 ? '' : vscode.l10n.t('Ignored by this service: {0}', unused.join(', '));
  const note = [summary, ignored].filter((part) => part !== '').join(' — ');
  return note === '' ? undefined : note;
}

function noKernel(kernel: string): string {
  return vscode.l10n.t('There is no kernel “{0}” on this machine.', kernel);
}

function unreadable(line: string | undefined): string {
  return vscode.l10n.t('The parameters cell cannot be read from line {0} on.', line ?? '1');
}

function notRemembered(names: readonly string[]): string {
  return vscode.l10n.t('Secret values are not remembered. Set them again if needed: {0}', names.join(', '));
}

/** Where a template runs notebooks and, on this machine, with which Python. */
async function pythonDescription(
  template: UserTemplate,
  source: vscode.Uri,
  python: Promise<string | undefined>,
): Promise<string | undefined> {
  if (template.service !== 'embedded') return undefined;
  const { kernelSpec } = template.executionTemplate;
  const own = await templatePython(template, source);
  const name =
    kernelSpec !== undefined && !PYTHON_KERNEL.test(kernelSpec)
      ? kernelSpec
      : own === undefined
        ? await python
        : await pythonLabel(own);
  if (name === undefined) return undefined;
  // The name of the built-in template already says where it runs.
  return template.name === BUILT_IN_TEMPLATE ? name : `${placeOf(template)} · ${name}`;
}

/** Where a template runs notebooks. */
function placeOf(template: UserTemplate): string {
  return template.service === 'embedded'
    ? vscode.l10n.t('On this machine')
    : serviceName(serviceIdOf(template));
}
