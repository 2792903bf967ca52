import * as vscode from 'vscode';
import { describePython } from './python-environment';
import { windowEnvironment } from './kernel-environment';
import { Problem } from './problem';

/**
 * Installs ipykernel with the pip of an interpreter, in a terminal where the person can watch it.
 * @throws Problem where pip fails.
 */
export async function installIpykernel(interpreter: string): Promise<void> {
  const { prefix, kind } = await describePython(interpreter);
  const args = ['-m', 'pip', 'install', 'ipykernel'];
  const task = new vscode.Task(
    { type: 'notebookExecutions.install' },
    vscode.TaskScope.Workspace,
    vscode.l10n.t('Install ipykernel'),
    vscode.l10n.t('Notebook Executions'),
    new vscode.ProcessExecution(interpreter, args, {
      env: {
        ...windowEnvironment(process.env),
        ...(prefix !== undefined && kind === 'venv' ? { VIRTUAL_ENV: prefix } : {}),
      },
    }),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  const code = await runTask(task);
  if (code !== 0) {
    throw new Problem(
      vscode.l10n.t('ipykernel could not be installed for {0}. The terminal says why.', interpreter),
    );
  }
}

/** Resolves with the exit code; undefined where the task was ended. */
async function runTask(task: vscode.Task): Promise<number | undefined> {
  const subscriptions: vscode.Disposable[] = [];
  try {
    // Listening before it starts: it may end at once.
    const ended = new Promise<number | undefined>((resolve) => {
      const mine = (execution: vscode.TaskExecution): boolean =>
        execution.task.name === task.name && execution.task.definition.type === task.definition.type;
      subscriptions.push(
        vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
          if (mine(execution)) {
            resolve(exitCode);
          }
        }),
        vscode.tasks.onDidEndTask(({ execution }) => {
          if (mine(execution)) {
            // The exit code is told right before or after this.
            setTimeout(resolve, 1000, undefined);
          }
        }),
      );
    });
    await vscode.tasks.executeTask(task);
    return await ended;
  } finally {
    for (const subscription of subscriptions) {
      subscription.dispose();
    }
  }
}
