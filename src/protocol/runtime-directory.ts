import * as fs from 'node:fs';
import * as path from 'node:path';

/**
 * True for the path of a directory that the service makes for one runner: ten hexadecimal digits in a folder for such
 * directories, see service-paths.ts. Any other path, from a damaged record or a command line, must not be removed.
 */
export function isRuntimeDirectory(directory: string): boolean {
  if (!path.isAbsolute(directory) || !/^[0-9a-f]{10}$/.test(path.basename(directory))) return false;
  const root = path.dirname(path.resolve(directory));
  const isInData = path.basename(root) === 'run' && path.basename(path.resolve(root, '../..')) === 'hosts';
  return isInData || /^nbx-\d*-[0-9a-f]{12}$/.test(path.basename(root));
}

/**
 * Where the runner with this runtime directory listens. The directory is short (socket paths end at 104 bytes),
 * owned by the user, 0700, and also holds the kernel's sockets and connection file.
 */
export function controlAddress(
  runtimeDirectory: string,
  platform: NodeJS.Platform = process.platform,
): string {
  return platform === 'win32'
    ? `\\\\.\\pipe\\notebook-executions-${path.win32.basename(runtimeDirectory)}`
    : path.posix.join(runtimeDirectory, 'control');
}

/**
 * True if it is a directory owned by this user, and not a link: in the system's temporary folder another user may have
 * put something else in its place, perhaps a link to this user's files.
 */
export function isOwnDirectory(directory: string): boolean {
  const stat = fs.lstatSync(directory, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && (process.getuid === undefined || stat.uid === process.getuid());
}

/** Removes a runtime directory when its runner is gone. If that fails, the service tries it again later. */
export async function removeRuntime(directory: string): Promise<void> {
  if (!isRuntimeDirectory(directory) || !isOwnDirectory(path.dirname(directory))) return;
  // A process that was just ended may still be removing its sockets.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };
  await fs.promises.rm(directory, options).catch(() => undefined);
}
