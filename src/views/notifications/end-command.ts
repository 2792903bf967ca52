import { spawn } from 'node:child_process';
import * as os from 'node:os';
import type { Execution } from '../../execution/execution';

/** A command that runs longer than this is ended, in milliseconds. */
const LIMIT = 60_000;

/**
 * Runs the person's own command at the end of an execution, for example one that plays a sound: VS Code cannot. The
 * execution is told in the environment and never in the command line, where a name could become code.
 */
export function runEndCommand(command: string, execution: Execution, log: (line: string) => void): void {
  const child = spawn(command, {
    shell: true,
    // A shell of Windows finds programs in the current directory first, which may be the workspace.
    cwd: os.homedir(),
    stdio: 'ignore',
    timeout: LIMIT,
    env: {
      ...process.env,
      EXECUTION_NAME: execution.name,
      EXECUTION_STATE: execution.state,
      EXECUTION_NOTEBOOK: execution.runOptions?.source ?? '',
    },
  });
  child.on('error', (error) => {
    log(`End command: ${error.message}`);
  });
  child.on('exit', (code, signal) => {
    if (code !== 0) log(`End command: ended with ${signal ?? String(code)}`);
  });
}
