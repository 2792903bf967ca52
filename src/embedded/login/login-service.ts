import { createHash } from 'node:crypto';
import * as path from 'node:path';

/** The service as it is started at login. */
export interface LoginService {
  /** Absolute path of the Node that runs the service. */
  readonly nodePath: string;
  /** The program is an editor, which is a Node only if a variable says so. */
  readonly isElectron: boolean;
  /** Absolute path of service.js in a folder that updates do not change, see bundles.ts. */
  readonly script: string;
  readonly build: string;
  readonly dataDirectory: string;
}

const IDLE_SECONDS = 600;

/**
 * Arguments of Node. Where a service runs already, or none is needed, the process ends with 0 and is not started again.
 */
export function loginArguments({ script, dataDirectory, build }: LoginService): string[] {
  const options = ['--data-dir', dataDirectory, '--build', build, '--idle-seconds', String(IDLE_SECONDS)];
  return [script, 'serve', ...options, '--unless-running'];
}

/** Variables of the process. */
export function loginVariables({ isElectron }: LoginService): Record<string, string> {
  return isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {};
}

/** Name of the unit, agent or task: one for each data directory. */
export function loginName(dataDirectory: string): string {
  const hash = createHash('sha256').update(path.resolve(dataDirectory)).digest('hex').slice(0, 8);
  return `notebook-executions-${hash}`;
}
