import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { SubmissionMemory } from '../../src/commands/submission/submission-memory';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { Execution } from '../../src/execution/execution';
import {
  allNames,
  ended,
  notebookText,
  textOf,
  withSettings,
  workspaceFolder,
  writeFile,
} from './support/executions';
import type { Person } from './support/person';
import { run, suiteOfCommands } from './support/suite';

const PARAMETERS = `epochs: int = 3  # passes over the data
rate: float = 0.5
mode: str = "fast"  # one of: fast, slow
names: list = ["a"]
path = make_path() if False else "x"`;
const SHOW = 'print("got", epochs, rate, mode, names)';

describe('submitting with parameters', () => {
  let service: EmbeddedExecutionService;
  let person: Person;
  suiteOfCommands({ 'notebookExecutions.openOutput': 'never', 'files.autoSave': 'off' }, (parts) => {
    ({ service, person } = parts);
  });

  const parametrized = (): Promise<vscode.Uri> =>
    writeFile('train.ipynb', notebookText([{ source: PARAMETERS, tags: ['parameters'] }, SHOW]));
  const thisMachine = (pick: { choose(label: string): void }): void => {
    pick.choose('This machine');
  };
  const outputOf = (execution: Execution): Promise<string> => textOf(service.readOutput(execution));

  it('shows each with its default and comment, checks what is typed, and injects what was set', async () => {
    person.willPick(
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
    person.willType(
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

  it('goes back to the templates and keeps what was set; leaving creates nothing', async () => {
    const before = await allNames(service);
    person.willPick(
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
    person.willType(() => '7');
    assert.equal(await run('execute', await parametrized()), undefined);
    assert.deepEqual(await allNames(service), before);
  });

  it('questions a name that the notebook does not declare, with a suggestion', async () => {
    const file = await writeFile('some.yaml', 'epoch: 5\nextra: [1, 2]\n');
    person.willOpen(file);
    person.willPick(
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

  it('says what is wrong with a YAML file', async () => {
    const file = await writeFile('list.yaml', '- 1\n');
    person.willOpen(file);
    person.willPick(thisMachine, (pick) => {
      pick.choose('Load YAML…');
    });
    await run('execute', await parametrized());
    await person.message(/list\.yaml: must be a mapping/);
  });

  it('says where a parameters cell cannot be read, and lets it be run all the same', async () => {
    const broken = { source: 'a = 1\nb = (', tags: ['parameters'] };
    person.willPick(thisMachine, (pick) => {
      assert.match(pick.labels.join('|'), /parameters cell cannot be read from line 2/);
      pick.leave();
    });
    await run('execute', await writeFile('broken.ipynb', notebookText([broken])));
  });

  it('shows 1,000 parameters, a default of a megabyte, and text of strangers in one plain line each', async () => {
    const many = Array.from({ length: 997 }, (_, index) => `p${String(index)} = ${String(index)}`);
    const odd = [
      `big = "${'x'.repeat(1 << 20)}"`,
      'שלום = "<b>$(trash) [a](command:b)</b>"',
      'name = "a\\n\'b\'"',
    ];
    const cell = { source: [...odd, ...many].join('\n'), tags: ['parameters'] };
    person.willPick(
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
    person.willType(({ title, value, prompt }) => {
      assert.match(title ?? '', /bad\.ipynb: big$/);
      assert.equal(value, '');
      assert.match(prompt ?? '', /^big: its value has 10485\d\d characters/);
      return undefined;
    });
    await run('execute', await writeFile('bad.ipynb', notebookText([cell])));
  });

  it('executeAgain repeats template and parameters at once, with the notebook as it is now', async () => {
    const uri = await parametrized();
    person.willPick(
      thisMachine,
      (pick) => {
        pick.choose('epochs');
      },
      (pick) => {
        pick.choose('Execute');
      },
    );
    person.willType(() => '9');
    await ended(service, await run('execute', uri));
    await fs.writeFile(
      uri.fsPath,
      notebookText([{ source: PARAMETERS, tags: ['parameters'] }, SHOW, 'print("added")']),
    );
    const execution = await ended(service, await run('executeAgain', uri));
    assert.equal(execution.executionTemplate?.parameters, '{"epochs":9}');
    assert.match(await outputOf(execution), /got 9 [^]*added/);
  });

  it('executeAgain asks where the notebook was never submitted', async () => {
    person.willPick((pick) => {
      pick.leave();
    });
    await run('executeAgain', await writeFile('new.ipynb', notebookText(['1'])));
    assert.equal(person.picks.length, 1);
  });

  it('what is remembered of a submission has no secret value, wherever it stood and whenever its name became secret', async () => {
    const state = new Map<string, unknown>();
    const memory = new SubmissionMemory({
      keys: () => [...state.keys()],
      get: (key: string) => state.get(key) as undefined,
      update: (key, value) => Promise.resolve(void state.set(key, value)),
    });
    const [one, other] = ['one', 'other'].map((name) => vscode.Uri.file(`/${name}.ipynb`));
    assert.ok(one && other);
    const parameters = '{"rate":1.0,"password":"planted-a","db":{"api_key":"planted-b"},"later":"planted-c"}';
    const options = { runOptions: {}, executionTemplate: { parameters } };
    await memory.remember(one, { template: 'x', parameters, options });
    const choice = memory.choiceFor(one);
    assert.deepEqual(choice?.withheld, ['password', 'db']);
    assert.match(choice.parameters ?? '', /^\{"rate":1\.0,"later":"planted-c"\}$/);
    // Those of the template alone, taken into what was changed in it: without them it would run with others.
    await memory.remember(other, { template: 'x', options });
    assert.deepEqual(memory.choiceFor(other)?.withheld, ['password', 'db']);
    assert.doesNotMatch(JSON.stringify([...state]), /planted-[ab]/);
    const reset = await withSettings({ 'notebookExecutions.secretParameters': ['later', '*password*'] });
    try {
      await memory.remember(other, { template: 'x', parameters: '{"rate":2.0}' });
    } finally {
      await reset();
    }
    assert.doesNotMatch(JSON.stringify([...state]), /planted/);
    assert.deepEqual(memory.choiceFor(one)?.withheld, ['password', 'db', 'later']);
    assert.deepEqual(memory.choiceFor(other), { template: 'x', parameters: '{"rate":2.0}' });
  });

  it('markCellAsParameters tags the cell, and it alone', async () => {
    const uri = await writeFile(
      'mark.ipynb',
      notebookText([{ source: 'a = 1', tags: ['parameters', 'x'] }, 'b = 2']),
    );
    const document = await vscode.workspace.openNotebookDocument(uri);
    const editor = await vscode.window.showNotebookDocument(document);
    editor.selection = new vscode.NotebookRange(1, 2);
    await run('markCellAsParameters');
    const tags = document
      .getCells()
      .map((cell) => (cell.metadata as { metadata?: { tags?: string[] } }).metadata?.tags);
    assert.deepEqual(tags, [['x'], ['parameters']]);
    person.willPick(thisMachine, (pick) => {
      assert.equal(pick.labels[1], 'b');
      pick.leave();
    });
    await run('execute', uri);
  });

  it('changes run options for this notebook alone, and remembers them', async () => {
    const uri = await writeFile('options.ipynb', notebookText(['1/0', 'print("went on")']));
    person.willPick(
      (pick) => {
        pick.pressButtonOf('This machine');
      },
      (pick) => {
        assert.match(pick.title, /Run Options/);
        pick.choose('Go on After Errors');
      },
      (pick) => {
        assert.equal(pick.row('Go on After Errors').description, 'yes');
        pick.choose('Time Limit of Each Cell (Seconds)');
      },
      (pick) => {
        pick.choose('Use These Options');
      },
    );
    person.willType((_box, check) => {
      assert.match(check('soon') ?? '', /number of seconds/);
      return '30';
    });
    const first = await ended(service, await run('execute', uri));
    assert.equal(first.state, 'SUCCEEDED');
    assert.equal(first.runOptions?.cellTimeout, 30);
    const again = await ended(service, await run('executeAgain', uri));
    assert.equal(again.runOptions?.allowErrors, true);
    assert.equal(again.runOptions.cellTimeout, 30);
  });

  describe('rerun', () => {
    const submitted = async (uri: vscode.Uri, epochs = '4'): Promise<Execution> => {
      person.willPick(
        thisMachine,
        (pick) => {
          pick.choose('epochs');
        },
        (pick) => {
          pick.choose('Execute');
        },
      );
      person.willType(() => epochs);
      return ended(service, await run('execute', uri));
    };
    const first = (pick: { labels: string[]; choose(label: string): void }): void => {
      pick.choose(pick.labels[0] ?? '');
    };

    it('repeats an execution with its parameters', async () => {
      const uri = await parametrized();
      const execution = await submitted(uri);
      person.willPick(first);
      const again = await ended(service, await run('rerun'));
      assert.notEqual(again.name, execution.name);
      assert.equal(again.executionTemplate?.parameters, execution.executionTemplate?.parameters);
      assert.equal(again.runOptions?.source, uri.toString());
      assert.match(await outputOf(again), /got 4 /);
    });

    it('asks which notebook where it was changed since', async () => {
      const uri = await parametrized();
      await submitted(uri);
      await fs.writeFile(uri.fsPath, notebookText(['print("changed")']));
      person.willPick(first, (pick) => {
        pick.choose('The notebook as it was executed then');
      });
      assert.match(await outputOf(await ended(service, await run('rerun'))), /got 4 /);
    });

    it('repeats it where its notebook is gone', async () => {
      const uri = await parametrized();
      await submitted(uri);
      await vscode.workspace.fs.delete(uri);
      person.willPick(first);
      assert.match(await outputOf(await ended(service, await run('rerun'))), /got 4 /);
    });

    it('rerunWithChanges starts from its template and parameters', async () => {
      await submitted(await parametrized(), '6');
      person.willPick(
        first,
        (pick) => {
          assert.equal(pick.active, 'This machine');
          pick.choose('This machine');
        },
        (pick) => {
          assert.equal(pick.row('epochs').description, '6');
          pick.choose('rate');
        },
        (pick) => {
          pick.choose('Execute');
        },
      );
      person.willType(() => '0.25');
      const again = await ended(service, await run('rerunWithChanges'));
      assert.match(await outputOf(again), /got 6 0\.25 /);
    });
  });

  describe('writing outputs back', () => {
    const templates = [{ name: 'back', service: 'embedded', runOptions: { writeBack: true } }];
    let undo: () => Promise<void>;
    before(async () => {
      undo = await withSettings({ 'notebookExecutions.templates': templates });
    });
    after(async () => {
      await undo();
    });
    const back = (pick: { choose(label: string): void }): void => {
      pick.choose('back');
    };

    it('puts the outputs into the notebook', async () => {
      const uri = await writeFile('back.ipynb', notebookText(['print("kept")']));
      person.willPick(back);
      await ended(service, await run('execute', uri));
      await eventually(async () => (await fs.readFile(uri.fsPath, 'utf8')).includes('"kept\\n"'));
    });

    it('puts the outputs into the file of a notebook that is open, and into what is on the screen', async () => {
      const uri = await writeFile('open.ipynb', notebookText(['print("kept")', 'print("too")']));
      const notebook = await vscode.workspace.openNotebookDocument(uri);
      await vscode.window.showNotebookDocument(notebook);
      person.willPick(back);
      await ended(service, await run('execute', uri));
      await eventually(async () => (await fs.readFile(uri.fsPath, 'utf8')).includes('"too\\n"'));
      const { cells } = JSON.parse(await fs.readFile(uri.fsPath, 'utf8')) as {
        cells: { source: string | string[]; execution_count: number; outputs: { text: string }[] }[];
      };
      assert.deepEqual(
        cells.map((cell) => [
          [cell.source].flat().join(''),
          cell.execution_count,
          String(cell.outputs[0]?.text),
        ]),
        [
          ['print("kept")', 1, 'kept\n'],
          ['print("too")', 2, 'too\n'],
        ],
      );
      await eventually(() =>
        Promise.resolve(
          notebook.getCells().every(({ outputs }) => outputs.length === 1) && !notebook.isDirty,
        ),
      );
    });

    it('never over edits that were not saved', async () => {
      const go = vscode.Uri.joinPath(workspaceFolder(), `go-${randomUUID()}`).fsPath;
      const text = notebookText([
        `import pathlib, time\nwhile not pathlib.Path(${JSON.stringify(go)}).exists(): time.sleep(0.05)\nprint("late")`,
      ]);
      const uri = await writeFile('dirty.ipynb', text);
      const notebook = await vscode.workspace.openNotebookDocument(uri);
      await vscode.window.showNotebookDocument(notebook);
      person.willPick(back);
      const name = await run('execute', uri);
      const edit = new vscode.WorkspaceEdit();
      edit.insert(notebook.cellAt(0).document.uri, new vscode.Position(0, 0), '# mine\n');
      await vscode.workspace.applyEdit(edit);
      assert.ok(notebook.isDirty);
      await fs.writeFile(go, '');
      await ended(service, name);
      const told = await person.message(/dirty\.ipynb was edited or not saved/);
      assert.deepEqual(told.buttons.slice(0, 1), ['Open Output']);
      assert.equal(await fs.readFile(uri.fsPath, 'utf8'), text);
      assert.match(notebook.cellAt(0).document.getText(), /^# mine/);
      assert.ok(notebook.isDirty);
      await vscode.commands.executeCommand('workbench.action.files.revert');
    });

    it('never over edits made meanwhile', async () => {
      const uri = await writeFile('raced.ipynb', notebookText(['import time; time.sleep(1); print("late")']));
      person.willPick(back);
      const name = await run('execute', uri);
      const edited = notebookText(['# mine']);
      await fs.writeFile(uri.fsPath, edited);
      await ended(service, name);
      await person.message(/raced\.ipynb was edited/);
      assert.equal(await fs.readFile(uri.fsPath, 'utf8'), edited);
    });
  });
});

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'It did not happen.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
