import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { EmbeddedExecutionService } from '../../src/embedded';
import { MASK } from '../../src/execution/secrets/secret-names';
import type { Execution } from '../../src/execution/execution';
import { allNames, ended, notebookText, textOf, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

const PARAMETERS = `epochs: int = 3  # passes over the data
rate: float = 0.5
mode: str = "fast"  # one of: fast, slow
names: list = ["a"]
path = make_path() if False else "x"`;
const SHOW = 'print("got", epochs, rate, mode, names)';

describe('submitting with parameters', () => {
  let service: EmbeddedExecutionService;
  let user: TestUser;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, user } = parts);
  });

  const parametrized = (): Promise<vscode.Uri> =>
    writeFile('train.ipynb', notebookText([{ source: PARAMETERS, tags: ['parameters'] }, SHOW]));
  const thisMachine = (pick: { choose(label: string): void }): void => {
    pick.choose('This machine');
  };
  const outputOf = (execution: Execution): Promise<string> => textOf(service.readOutput(execution));

  it('shows each with default and comment, checks typed values, and injects changed ones', async () => {
    user.willPick(
      thisMachine,
      (pick) => {
        assert.deepEqual(pick.labels.slice(1, 6), ['epochs', 'rate', 'mode', 'names', 'path']);
        assert.equal(pick.row('epochs').description, '3');
        assert.match(pick.row('epochs').detail ?? '', /passes over the data/);
        pick.choose('epochs');
      },
      (pick) => {
        assert.equal(pick.row('epochs').description, '12');
        pick.choose('mode');
      },
      (pick) => {
        assert.deepEqual(pick.labels, ['fast', 'slow']);
        pick.choose('slow');
      },
      (pick) => {
        pick.choose('names');
      },
      (pick) => {
        assert.match(pick.row('Execute').description ?? '', /3 parameters set/);
        pick.pressButtonOf('names');
      },
      (pick) => {
        assert.match(pick.row('Execute').description ?? '', /2 parameters set/);
        pick.choose('Execute');
      },
    );
    user.willType(
      (box, check) => {
        assert.equal(box.value, '3');
        assert.match(check('many') ?? '', /whole number/);
        assert.equal(check('12'), undefined);
        return '12';
      },
      (_box, check) => {
        assert.match(check('{}') ?? '', /list/);
        return '["b"]';
      },
    );
    const execution = await ended(service, await run('execute', await parametrized()));
    assert.equal(execution.executionTemplate?.parameters, '{"epochs":12,"mode":"slow"}');
    assert.match(await outputOf(execution), /got 12 0\.5 slow \['a'\]/);
  });

  it('goes back to the templates and keeps the values; dismissing creates nothing', async () => {
    const before = await allNames(service);
    user.willPick(
      thisMachine,
      (pick) => {
        pick.choose('epochs');
      },
      (pick) => {
        pick.back();
      },
      thisMachine,
      (pick) => {
        assert.equal(pick.row('epochs').description, '7');
        pick.leave();
      },
    );
    user.willType(() => '7');
    assert.equal(await run('execute', await parametrized()), undefined);
    assert.deepEqual(await allNames(service), before);
  });

  it('warns about a name that the notebook does not declare, with a suggestion', async () => {
    const file = await writeFile('some.yaml', 'epoch: 5\nextra: [1, 2]\n');
    user.willOpen(file);
    user.willPick(
      thisMachine,
      (pick) => {
        pick.choose('Load YAML…');
      },
      (pick) => {
        assert.match(pick.row('epoch').detail ?? '', /not declared/);
        pick.choose('Execute');
      },
      (pick) => {
        assert.match(pick.title, /“epoch”. Did you mean “epochs”/);
        pick.choose('Set “epochs” instead');
      },
      (pick) => {
        assert.match(pick.title, /“extra”/);
        pick.choose('Keep “extra”');
      },
    );
    const execution = await ended(service, await run('execute', await parametrized()));
    assert.equal(execution.executionTemplate?.parameters, '{"extra":[1,2],"epochs":5}');
    assert.match(await outputOf(execution), /got 5 /);
  });

  it('checks loaded values like typed ones, and executes on Enter once they are valid', async () => {
    const wrong = await writeFile('wrong.yaml', 'epochs: many\n');
    const right = await writeFile('right.yaml', 'epochs: 6\n');
    user.willOpen(wrong);
    user.willPick(
      thisMachine,
      (pick) => {
        pick.choose('Load YAML…');
      },
      (pick) => {
        assert.equal(pick.active, 'epochs');
        assert.equal(pick.row('epochs').detail?.split(' · ')[0], 'Must be a whole number.');
        assert.equal(pick.row('Execute').description, 'after values that cannot be used are changed: 1');
        pick.choose('Execute');
      },
      (pick) => {
        user.willOpen(right);
        pick.choose('Load YAML…');
      },
      (pick) => {
        assert.equal(pick.active, 'Execute');
        pick.choose('Execute');
      },
    );
    user.willType(({ value, title }, check) => {
      assert.match(title ?? '', /: epochs$/);
      assert.equal(check(value ?? ''), 'Must be a whole number.');
      return undefined;
    });
    const execution = await ended(service, await run('execute', await parametrized()));
    assert.equal(execution.executionTemplate?.parameters, '{"epochs":6}');
  });

  it('shows what is wrong with a YAML file', async () => {
    const file = await writeFile('list.yaml', '- 1\n');
    user.willOpen(file);
    user.willPick(thisMachine, (pick) => {
      pick.choose('Load YAML…');
    });
    await run('execute', await parametrized());
    await user.message(/list\.yaml: Must be a mapping/);
  });

  it('warns about words that papermill reads differently before the run, and on the execution', async () => {
    const file = await writeFile('words.yaml', 'mode: no\npath: 1_000\napi_key: 0777\n');
    const notes = (labels: readonly string[]): string[] => labels.filter((each) => each.includes('YAML 1.1'));
    user.willOpen(file);
    user.willPick(
      thisMachine,
      (pick) => {
        assert.deepEqual(notes(pick.labels), []);
        pick.choose('Load YAML…');
      },
      (pick) => {
        assert.deepEqual(notes(pick.labels), [
          'Parameter mode: no is read as "no". In YAML 1.1, which papermill reads, it is false.',
          'Parameter path: 1_000 is read as "1_000". In YAML 1.1, which papermill reads, it is 1000.',
          `Parameter api_key: ${MASK} is read as ${MASK}. In YAML 1.1, which papermill reads, it is ${MASK}.`,
        ]);
        pick.pressButtonOf('path');
      },
      (pick) => {
        assert.equal(notes(pick.labels).length, 2);
        pick.choose('Execute');
      },
      (pick) => {
        pick.choose('Keep “api_key”');
      },
    );
    const cells = [{ source: "mode = 'x'\npath = 'p'", tags: ['parameters'] }, "print('got', mode)"];
    const notebook = await writeFile('words.ipynb', notebookText(cells));
    const execution = await ended(service, await run('execute', notebook));
    assert.equal(execution.executionTemplate?.parameters, '{"mode":no,"api_key":0777}');
    assert.deepEqual(
      execution.runStatus?.warnings?.filter(({ code }) => code === 'yamlWord'),
      [
        { code: 'yamlWord', args: ['mode', 'no', '"no"', 'false'] },
        { code: 'yamlWord', args: ['api_key', MASK, MASK, MASK] },
      ],
    );
    assert.match(await outputOf(execution), /got no/);
  });

  it('shows where a parameters cell cannot be read, and still allows the run', async () => {
    const broken = { source: 'a = 1\nb = (', tags: ['parameters'] };
    user.willPick(thisMachine, (pick) => {
      assert.match(pick.labels.join('|'), /parameters cell cannot be read from line 2/);
      pick.leave();
    });
    await run('execute', await writeFile('broken.ipynb', notebookText([broken])));
  });

  it('shows 1,000 parameters, a default of a megabyte, and text of the notebook in one plain line each', async () => {
    const many = Array.from({ length: 997 }, (_, index) => `p${String(index)} = ${String(index)}`);
    const odd = [
      `big = "${'x'.repeat(1 << 20)}"`,
      'שלום = "<b>$(trash) [a](command:b)</b>"',
      'name = "a\\n\'b\'"',
    ];
    const cell = { source: [...odd, ...many].join('\n'), tags: ['parameters'] };
    user.willPick(
      thisMachine,
      (pick) => {
        const rows = pick.rows.filter(({ label }) => /^(?:p\d+|big|name|\u2068שלום\u2069)$/.test(label));
        assert.equal(rows.length, 1000);
        for (const { description = '' } of rows) assert.match(description, /^[^\n]{0,110}$/);
        assert.match(pick.row('\u2068שלום\u2069').description ?? '', /^"<b>\\\$\(trash\)/);
        pick.choose('big');
      },
      (pick) => {
        pick.leave();
      },
    );
    user.willType(({ title, value, prompt }) => {
      assert.match(title ?? '', /bad\.ipynb: big$/);
      assert.equal(value, '');
      assert.match(prompt ?? '', /^big: its value has 10485\d\d characters/);
      return undefined;
    });
    await run('execute', await writeFile('bad.ipynb', notebookText([cell])));
  });

  it('markCellAsParameters tags only the selected cell', async () => {
    const uri = await writeFile(
      'mark.ipynb',
      notebookText([{ source: 'a = 1', tags: ['parameters', 'x'] }, 'b = 2']),
    );
    const document = await vscode.workspace.openNotebookDocument(uri);
    const editor = await vscode.window.showNotebookDocument(document);
    editor.selection = new vscode.NotebookRange(1, 2);
    const tags = () =>
      document.getCells().map((cell) => (cell.metadata as { metadata?: { tags?: string[] } }).metadata?.tags);
    await run('markCellAsParameters');
    assert.deepEqual(tags(), [['x'], ['parameters']]);
    // Already marked: nothing changes, without a message.
    await run('markCellAsParameters');
    assert.deepEqual(tags(), [['x'], ['parameters']]);
    assert.deepEqual(user.shownProblems, []);
    await run('unmarkParametersCell', document.cellAt(1));
    assert.deepEqual(tags(), [['x'], undefined]);
    await run('unmarkParametersCell', document.cellAt(1));
    assert.deepEqual(user.shownProblems, []);
    await run('markCellAsParameters');
    user.willPick(thisMachine, (pick) => {
      assert.equal(pick.labels[1], 'b');
      pick.leave();
    });
    await run('execute', uri);
  });
});
