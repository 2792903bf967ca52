import { spawn } from 'node:child_process';
import * as os from 'node:os';
import type { Execution } from '../../execution/execution';

/** Time limit of the command, in milliseconds. */
const LIMIT = 60_000;

/**
 * Runs the user's command at the end of an execution, for example to play a sound, which VS Code cannot do. The
 * execution is described in environment variables, never on the command line, where a name could be run as code.
 */
export function runEndCommand(command: string, execution: Execution, log: (line: string) => void): void {
  const child = spawn(command, {
    shell: true,
    // Not in the workspace: shells on Windows search the current directory for programs first.
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
