import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { SubmissionMemory } from '../../src/commands/submission/submission-memory';
import type { EmbeddedExecutionService } from '../../src/embedded';
import type { Execution } from '../../src/execution/execution';
import { ended, notebookText, textOf, withSettings, writeFile } from './support/executions';
import type { TestUser } from './support/test-user';
import { run, suiteOfCommands } from './support/suite';

const PARAMETERS = 'epochs: int = 3\nrate: float = 0.5';
const SHOW = 'print("got", epochs, rate)';

describe('re-running', () => {
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

  it('executeAgain repeats template and parameters immediately, with the current notebook', async () => {
    const uri = await parametrized();
    user.willPick(
      thisMachine,
      (pick) => {
        pick.choose('epochs');
      },
      (pick) => {
        pick.choose('Execute');
      },
    );
    user.willType(() => '9');
    await ended(service, await run('execute', uri));
    await fs.writeFile(
      uri.fsPath,
      notebookText([{ source: PARAMETERS, tags: ['parameters'] }, SHOW, 'print("added")']),
    );
    const execution = await ended(service, await run('executeAgain', uri));
    assert.equal(execution.executionTemplate?.parameters, '{"epochs":9}');
    assert.match(await outputOf(execution), /got 9 [^]*added/);
  });

  it('parses a notebook at most twice on its way to the service', async () => {
    const uri = await writeFile('parsed.ipynb', notebookText(['print("parsed")']));
    const submitted = await fs.readFile(uri.fsPath);
    const parsed = async (submit: () => Thenable<unknown>): Promise<number> => {
      const parses = countParses(submitted);
      try {
        await ended(service, await submit());
      } finally {
        parses.restore();
      }
      return parses.count;
    };
    user.willPick(thisMachine);
    assert.equal(await parsed(() => run('execute', uri)), 1);
    assert.equal(await parsed(() => run('executeAgain', uri)), 1);
    await run('refresh');
    user.willPick((pick) => {
      pick.choose('parsed');
    });
    // The submitted version and the one of now.
    assert.equal(await parsed(() => run('rerun')), 2);
  });

  it('executeAgain asks when the notebook was never submitted', async () => {
    user.willPick((pick) => {
      pick.leave();
    });
    await run('executeAgain', await writeFile('new.ipynb', notebookText(['1'])));
    assert.equal(user.picks.length, 1);
  });

  it('stores no secret values of a submission, wherever they were and whenever their name became secret', async () => {
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
    // The template's parameters are part of the changed ones: without them the defaults would be used.
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

  it('changes run options only for this notebook, and remembers them', async () => {
    const uri = await writeFile('options.ipynb', notebookText(['1/0', 'print("went on")']));
    user.willPick(
      (pick) => {
        pick.pressButtonOf('This machine');
      },
      (pick) => {
        assert.match(pick.title, /Run Options/);
        pick.choose('Continue on Error');
      },
      (pick) => {
        assert.equal(pick.row('Continue on Error').description, 'yes');
        pick.choose('Time Limit of Each Cell (Seconds)');
      },
      (pick) => {
        pick.choose('Use These Options');
      },
    );
    user.willType((_box, check) => {
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
      user.willPick(
        thisMachine,
        (pick) => {
          pick.choose('epochs');
        },
        (pick) => {
          pick.choose('Execute');
        },
      );
      user.willType(() => epochs);
      return ended(service, await run('execute', uri));
    };
    const first = (pick: { labels: string[]; choose(label: string): void }): void => {
      pick.choose(pick.labels[0] ?? '');
    };

    it('repeats an execution with its parameters', async () => {
      const uri = await parametrized();
      const execution = await submitted(uri);
      user.willPick(first);
      const again = await ended(service, await run('rerun'));
      assert.notEqual(again.name, execution.name);
      assert.equal(again.executionTemplate?.parameters, execution.executionTemplate?.parameters);
      assert.equal(again.runOptions?.source, uri.toString());
      assert.match(await outputOf(again), /got 4 /);
    });

    it('asks which notebook when it has changed since', async () => {
      const uri = await parametrized();
      await submitted(uri);
      await fs.writeFile(uri.fsPath, notebookText(['print("changed")']));
      user.willPick(first, (pick) => {
        pick.choose('The notebook as it was executed');
      });
      assert.match(await outputOf(await ended(service, await run('rerun'))), /got 4 /);
    });

    it('repeats it when its notebook is gone', async () => {
      const uri = await parametrized();
      await submitted(uri);
      await vscode.workspace.fs.delete(uri);
      user.willPick(first);
      assert.match(await outputOf(await ended(service, await run('rerun'))), /got 4 /);
    });

    it('rerunWithChanges starts from its template and parameters', async () => {
      await submitted(await parametrized(), '6');
      user.willPick(
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
      user.willType(() => '0.25');
      const again = await ended(service, await run('rerunWithChanges'));
      assert.match(await outputOf(again), /got 6 0\.25/);
    });
  });
});

/** Counts how often a notebook with this content is parsed from here on: the parser decodes it, and is strict. */
function countParses(content: Uint8Array): { readonly count: number; restore(): void } {
  const { prototype } = TextDecoder;
  const decode = Object.getOwnPropertyDescriptor(prototype, 'decode');
  assert.ok(decode);
  const parses = {
    count: 0,
    restore: () => {
      Object.defineProperty(prototype, 'decode', decode);
    },
  };
  const original = decode.value as typeof prototype.decode;
  Object.defineProperty(prototype, 'decode', {
    ...decode,
    value(this: InstanceType<typeof TextDecoder>, ...args: Parameters<typeof original>): string {
      const [input] = args;
      if (this.fatal && input instanceof Uint8Array && Buffer.compare(input, content) === 0) parses.count++;
      return original.apply(this, args);
    },
  });
  return parses;
}
