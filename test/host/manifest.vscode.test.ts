import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { COMMAND_IDS } from '../../src/commands/command-map';
import { SECRET_PARAMETERS } from '../../src/execution/secrets/secret-names';
import { StrictExecutionTemplateSchema } from '../../src/execution/execution';
import {
  TEMPLATE_SERVICES,
  TemplateRunOptionsSchema,
  UserTemplateSchema,
} from '../../src/execution/templates/template';
import { parseTemplates } from '../../src/execution/templates/template-problems';
import { OUTPUT_NOTEBOOK } from '../../src/views/output/output-uri';
import { activated } from './support/executions';

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly enumDescriptions?: readonly unknown[];
  readonly scope?: string;
  readonly markdownDescription?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema & { readonly defaultSnippets?: readonly { readonly body: unknown }[] };
  readonly additionalProperties?: unknown;
}
interface MenuItem {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}
interface Manifest {
  readonly activationEvents: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
    }[];
    readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
    readonly keybindings: readonly MenuItem[];
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string }[];
    readonly configuration: readonly { readonly properties: Readonly<Record<string, Schema>> }[];
  };
}

/** The folder with sources and tests; the suite is bundled to out/test/host. */
const ROOT = path.resolve(__dirname, '../../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const { contributes } = manifest;
const settings = Object.fromEntries(
  contributes.configuration.flatMap(({ properties }) => Object.entries(properties)),
);

describe('manifest', () => {
  it('declares exactly the registered commands, each with a title and the category', async () => {
    await activated();
    const declared = contributes.commands.map(({ command }) => command).sort();
    assert.deepEqual(declared, [...COMMAND_IDS].sort());
    const registered = (await vscode.commands.getCommands(true)).filter(
      (id) => id.startsWith('notebookExecutions.') && !id.startsWith('notebookExecutions.explorer.'),
    );
    assert.deepEqual(registered.sort(), declared);
    for (const { title, category } of contributes.commands) {
      assert.match(title, /^%command\./);
      assert.equal(category, '%category%');
    }
  });

  it('describes in each title what the command does, with an ellipsis if it asks for input', () => {
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    const titles = contributes.commands.map(({ title }) => texts[title.replaceAll('%', '')] ?? '');
    for (const title of titles) assert.match(title, /^\S+ \S+/, `${title} has no object`);
    const asking = titles.filter((title) => title.endsWith('…'));
    assert.deepEqual(asking.sort(), [
      'Clean Up Executions…',
      'Download Outputs…',
      'Execute Remotely…',
      'Execute Whole Folder Remotely…',
      'Execute the Example Notebook…',
      'Export Report…',
      'Filter Executions…',
      'Group Executions By…',
      'New Google Cloud Template…',
      'Re-run Execution with Changes…',
      'Save Output As…',
      'Save as Template…',
      'Select Python…',
      'Set Default Template…',
      'Sort Executions By…',
    ]);
  });

  it('has one button in the toolbar of a Jupyter notebook', () => {
    // Other extensions need the space; the toolbar of an execution's notebook has none of their buttons.
    const buttons = (contributes.menus['notebook/toolbar'] ?? []).filter(
      ({ group, when }) => group?.startsWith('navigation') === true && when?.includes("'jupyter-notebook'"),
    );
    assert.deepEqual(
      buttons.map(({ command }) => command),
      ['notebookExecutions.execute'],
    );
  });

  it('uses only declared commands in menus and keybindings', () => {
    const items = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
    for (const { command } of items) {
      assert.ok(
        COMMAND_IDS.some((id) => id === command),
        command,
      );
    }
  });

  it('offers row commands only on rows with the capability, with context values that rows have', () => {
    const words =
      /\b(execution|ended|cancellable|deletable|hasOutput|hasInput|hasLog|comparable|failedCell|hasSource|pinnable|pinned|machine|serviceError|hanging|hasConsole|hasOutputUri)\b/g;
    const known = new Set(
      [
        ...read('src/wording/execution-facts.ts').matchAll(words),
        ...read('src/views/explorer/rows/service-rows.ts').matchAll(words),
      ].map((match) => match[1]),
    );
    for (const { command, when = '' } of contributes.menus['view/item/context'] ?? []) {
      const word = /viewItem =~ \/\\b(\w+)\\b\//.exec(when)?.[1];
      assert.ok(word !== undefined && known.has(word), `${command}: ${when}`);
      assert.ok(when.includes('view == notebookExecutions.explorer'), when);
    }
  });

  it('hides commands from the palette when they cannot be used', () => {
    const rules = new Map(
      (contributes.menus['commandPalette'] ?? []).map(({ command, when }) => [command, when]),
    );
    for (const hidden of ['loadMore', 'openCell', 'createEnvironment'])
      assert.equal(rules.get(`notebookExecutions.${hidden}`), 'false');
    assert.equal(
      rules.get('notebookExecutions.execute'),
      undefined,
      'it asks for a notebook where none is open',
    );
    for (const ofNotebook of ['executeAgain', 'markCellAsParameters'])
      assert.match(rules.get(`notebookExecutions.${ofNotebook}`) ?? '', /notebookType == 'jupyter-notebook'/);
    assert.match(rules.get('notebookExecutions.openCopy') ?? '', new RegExp(`== ${OUTPUT_NOTEBOOK}$`));
    assert.match(rules.get('notebookExecutions.clearFilter') ?? '', /notebookExecutions\.filtering/);
  });

  it('has a text for every key, and no unused text', () => {
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    const used = new Set([...read('package.json').matchAll(/%([\w.]+)%/g)].map((match) => match[1]));
    assert.deepEqual(
      [...used].filter((key) => texts[String(key)] === undefined),
      [],
    );
    assert.deepEqual(
      Object.keys(texts).filter((key) => !used.has(key)),
      [],
    );
    for (const [key, text] of Object.entries(texts)) assert.notEqual(text.trim(), '', key);
  });

  it('describes the fields of a template as the code parses them', () => {
    const items = settings['notebookExecutions.templates']?.items;
    const names = (schema: Schema | undefined): string[] => Object.keys(schema?.properties ?? {}).sort();
    assert.deepEqual(names(items), Object.keys(UserTemplateSchema.shape).sort());
    assert.deepEqual(
      names(items?.properties?.['executionTemplate']),
      Object.keys(StrictExecutionTemplateSchema.shape).sort(),
    );
    assert.deepEqual(
      names(items?.properties?.['runOptions']),
      Object.keys(TemplateRunOptionsSchema.shape).sort(),
    );
    assert.deepEqual(items?.properties?.['service']?.enum, [...TEMPLATE_SERVICES]);
    const check = (schema: Schema, where: string): void => {
      if (schema.properties !== undefined) assert.equal(schema.additionalProperties, false, where);
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        assert.match(String(property.markdownDescription), /^%/, `${where}.${name}`);
        check(property, `${where}.${name}`);
      }
    };
    assert.ok(items);
    check(items, 'templates');
  });

  it('offers snippets that are valid templates once the blanks are filled', () => {
    const snippets = settings['notebookExecutions.templates']?.items?.defaultSnippets ?? [];
    assert.ok(snippets.length >= 2);
    for (const { body } of snippets) {
      const text = JSON.stringify(body)
        .replaceAll(/"\^\$\{\d:([^}]*)\}"/g, '$1')
        .replaceAll(/\$\{\d:([^}]*)\}/g, '$1');
      assert.equal(parseTemplates([JSON.parse(text)])[0]?.problems, undefined, text);
    }
  });

  it('declares settings with the scope, default and values of the code', () => {
    const facts = Object.fromEntries(
      Object.entries(settings).map(([name, { scope, default: value, enum: values }]) => [
        name.replace('notebookExecutions.', ''),
        [scope, value, ...(values === undefined ? [] : [values])],
      ]),
    );
    assert.deepEqual(facts, {
      templates: ['resource', []],
      defaultTemplate: ['resource', ''],
      openOutput: ['window', 'always', ['always', 'ask', 'never']],
      notify: ['window', 'all', ['all', 'failures', 'successes', 'none']],
      notifySuccess: ['window', true],
      notifyFailure: ['window', true],
      endCommand: ['machine', ''],
      largeOutputSize: ['window', 50],
      maxConcurrentExecutions: ['machine', 0],
      spareKernel: ['machine', true],
      keepAwake: ['machine', true],
      'retention.days': ['machine', 30],
      'retention.gigabytes': ['machine', 5],
      secretParameters: ['machine', [...SECRET_PARAMETERS]],
      dataDirectory: ['machine', ''],
      nodePath: ['machine', ''],
      'google.keyFile': ['machine', ''],
      'google.quotaProject': ['machine', ''],
      'google.endpoints': ['machine', {}],
    });
    for (const [name, { markdownDescription, enum: values, enumDescriptions }] of Object.entries(settings)) {
      assert.match(markdownDescription ?? '', /^%setting\./, name);
      assert.equal(values?.length, enumDescriptions?.length, name);
    }
  });

  it('ignores settings that affect running from an untrusted workspace', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    for (const [name, { scope }] of Object.entries(settings)) {
      // Settings of machine scope cannot be set by a workspace.
      if (scope === 'resource') assert.ok(restrictedConfigurations.includes(name), name);
    }
  });

  it('activates only when the editor has started, or for one of its own documents', () => {
    assert.deepEqual(manifest.activationEvents, ['onStartupFinished', 'onFileSystem:notebook-execution']);
  });

  it('has a test that names every command, setting, view and context key', () => {
    const tests = fs
      .readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.includes('manifest'))
      .map((file) => read(path.join('test', file)))
      .join('\n');
    const bare = (name: string): string => name.replace('notebookExecutions.', '');
    const views = Object.values(contributes.views).flatMap((list) => list.map(({ id }) => id));
    const names = [
      ...COMMAND_IDS,
      ...Object.keys(settings),
      ...views,
      'notebookExecutions.filtering',
      'notebookExecutions.cloud',
    ];
    const missing = names.filter((name) => !tests.includes(name) && !tests.includes(`'${bare(name)}'`));
    assert.deepEqual(missing, []);
  });
});
