import * as os from 'node:os';
import * as path from 'node:path';

/**
 * Default folder of this user's executions: `~/.local/share/notebook-executions` (XDG_DATA_HOME),
 * `~/Library/Application Support/notebook-executions`, `%LOCALAPPDATA%\notebook-executions`.
 */
export function defaultDataDirectory(
  env: Readonly<NodeJS.ProcessEnv> = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = os.homedir(),
): string {
  const name = 'notebook-executions';
  if (platform === 'win32')
    return path.win32.join(env['LOCALAPPDATA'] ?? path.win32.join(home, 'AppData', 'Local'), name);
  if (platform === 'darwin') return path.posix.join(home, 'Library', 'Application Support', name);
  const base = env['XDG_DATA_HOME'];
  // XDG specification: ignore a relative path.
  return path.posix.join(
    base?.startsWith('/') === true ? base : path.posix.join(home, '.local', 'share'),
    name,
  );
}
