import { inspect } from 'node:util';
import * as vscode from 'vscode';
import { redact } from '../execution/secrets/redaction';
import { withoutLinks } from '../wording/text';
import { COMMAND_IDS, COMMANDS, type CommandId, type CommandMap, type TargetOf } from './command-map';
import type { Problem } from '../wording/problem';
import { type Remedy } from '../wording/problem';
import { isExplainedInLog, problemOf } from '../wording/problem-sentences';
import { parseTarget } from './targets';

/**
 * Registers every command, to be run with {@link CommandRunner.run}. Disposing unregisters them. This is the only place
 * that sees the raw arguments of commands: handlers receive a parsed target.
 * @param load loads the handlers. Called on the first command.
 */
export function registerCommands(runner: CommandRunner, load: () => Promise<CommandMap>): vscode.Disposable {
  let handlers: Promise<CommandMap> | undefined;
  const handle = async <Id extends CommandId>(id: Id, target: TargetOf<Id>): Promise<unknown> => {
    handlers ??= load();
    return (await handlers)[id](target);
  };
  return vscode.Disposable.from(
    ...COMMAND_IDS.map((id) =>
      vscode.commands.registerCommand(id, (...args: unknown[]) =>
        // The target is parsed before anything is loaded, because it may be the notebook that is active now.
        runner.run(id, () => handle(id, parseTarget(COMMANDS[id], args))),
      ),
    ),
  );
}

/** Buttons of a notification that VS Code shows for sure; of more it hides some. */
const MOST_BUTTONS = 3;

/** Wraps every command: shows errors to the user, logs them with their causes, ignores cancellations. */
export class CommandRunner {
  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Runs an action of the user. Returns undefined if it was cancelled or failed; never rejects. */
  async run(
    name: CommandId | 'remedy' | 'writeBack' | 'settings' | 'tracking',
    action: () => unknown,
  ): Promise<unknown> {
    const start = performance.now();
    try {
      const result = await action();
      this.log.debug(`${name}: done in ${String(Math.round(performance.now() - start))} ms`);
      return result;
    } catch (error) {
      if (isCancellation(error)) {
        this.log.debug(`${name}: cancelled`);
      } else {
        this.log.error(redact(`${name}: ${wholeStory(error)}`));
        // Not awaited: the command has ended, but the message may stay open for hours.
        void this.notify(problemOf(error));
      }
      return undefined;
    }
  }

  private async notify(problem: Problem): Promise<void> {
    const showLog: Remedy = {
      label: vscode.l10n.t('Show Extension Log'),
      run: () => {
        this.log.show();
      },
    };
    const remedies = [...problem.remedies, ...(isExplainedInLog(problem) ? [showLog] : [])];
    const message = withoutLinks(problem.message);
    const all = remedies.map((remedy) => remedy.label);
    const more = vscode.l10n.t('More…');
    const buttons = all.length <= MOST_BUTTONS ? all : [...all.slice(0, MOST_BUTTONS - 1), more];
    let chosen = await vscode.window.showErrorMessage(message, ...buttons);
    if (chosen === more) {
      const items = all.slice(MOST_BUTTONS - 1).map((label) => ({ label }));
      chosen = (await vscode.window.showQuickPick(items, { title: message }))?.label;
    }
    const remedy = remedies.find((candidate) => candidate.label === chosen);
    if (remedy !== undefined) await this.run('remedy', () => remedy.run());
  }
}

/** True for a cancellation by the user, as VS Code's error or as that of an AbortSignal. */
function isCancellation(error: unknown): boolean {
  return error instanceof vscode.CancellationError || (error instanceof Error && error.name === 'AbortError');
}

/** Stack traces of the error and its causes, outermost first. */
function wholeStory(error: unknown): string {
  const lines: string[] = [];
  let current = error;
  while (current instanceof Error && lines.length < 8) {
    lines.push(current.stack ?? current.message);
    current = current.cause;
  }
  return lines.length === 0 ? inspect(error) : lines.join('\ncaused by: ');
}
