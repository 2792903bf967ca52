import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { readIfExists, replaceFile } from '../../system/files';
import { exists } from '../../system/programs';
import { launchAgent } from './launch-agent';
import { loginName, type LoginService } from './login-service';
import { scheduledTask } from './scheduled-task';
import { systemdUnit } from './systemd-unit';

/** The system as a registration sees it; tests pass another one. */
export interface LoginSystem {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Name of the user; on Windows `DOMAIN\name`. */
  readonly user: string;
  /** True if systemd runs: sd_booted(3). */
  readonly hasSystemd: boolean;
  /** Runs a program, and resolves with its output. @throws Error if it fails. */
  readonly run: (program: string, args: readonly string[]) => Promise<string>;
}

/** This machine. */
export async function thisSystem(): Promise<LoginSystem> {
  const { username } = os.userInfo();
  const domain = process.env['USERDOMAIN'];
  return {
    platform: process.platform,
    home: os.homedir(),
    env: process.env,
    user: process.platform === 'win32' && domain !== undefined ? `${domain}\\${username}` : username,
    hasSystemd: await exists('/run/systemd/system'),
    run: async (program, args) => {
      const { stdout } = await promisify(execFile)(program, args, { windowsHide: true, timeout: 30_000 });
      return stdout;
    },
  };
}

/**
 * `none`: the service is not started at login. `outdated`: with paths that have changed since, for example because the
 * editor was updated: register again. `unavailable`: this system starts no programs of users, as in a container; then
 * schedules run while the service is up.
 */
export type LoginState = 'registered' | 'outdated' | 'none' | 'unavailable';

/** Whether, and how, the service is started at login. */
export async function loginState(service: LoginService, system: LoginSystem): Promise<LoginState> {
  const registration = registrationOf(service.dataDirectory, system);
  if (registration === undefined) return 'unavailable';
  const text = await registration.read();
  if (text === undefined) return 'none';
  return text === registration.text(service) ? 'registered' : 'outdated';
}

/**
 * Starts the service at each login from now on, or with other paths than before. A running service is left alone.
 * @returns false if this system starts no programs of users. @throws the system's error
 */
export async function registerAtLogin(service: LoginService, system: LoginSystem): Promise<boolean> {
  const registration = registrationOf(service.dataDirectory, system);
  await registration?.write(registration.text(service));
  return registration !== undefined;
}

/** Undoes {@link registerAtLogin}. A running service is left alone. @throws the system's error */
export async function unregisterAtLogin(dataDirectory: string, system: LoginSystem): Promise<void> {
  await registrationOf(dataDirectory, system)?.remove();
}

/**
 * Linux: whether services of this user also run while the user is not logged in, see `loginctl enable-linger`; undefined
 * on other systems, where they do not.
 */
export async function lingers({ hasSystemd, platform, user }: LoginSystem): Promise<boolean | undefined> {
  if (platform !== 'linux' || !hasSystemd) return undefined;
  return exists(path.join('/var/lib/systemd/linger', user));
}

/** Lets services of this user run while the user is not logged in. @throws Error if the system does not allow it. */
export async function enableLinger({ run, user }: LoginSystem): Promise<void> {
  await run('loginctl', ['enable-linger', user]);
}

/** How a system is told to start a program at login. */
interface Registration {
  text(service: LoginService): string;
  /** The text that is registered; undefined if none is. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

function registrationOf(dataDirectory: string, system: LoginSystem): Registration | undefined {
  const name = loginName(dataDirectory);
  switch (system.platform) {
    case 'linux':
      return system.hasSystemd ? systemdRegistration(name, system) : undefined;
    case 'darwin':
      return launchdRegistration(name, system);
    case 'win32':
      return taskRegistration(name, system);
    default:
      return undefined;
  }
}

/** The unit's file, and the link that `systemctl --user enable` would make: this also works without a session bus. */
function systemdRegistration(name: string, { home, env, run }: LoginSystem): Registration {
  const config = env['XDG_CONFIG_HOME'];
  const folder = path.join(
    config?.startsWith('/') === true ? config : path.join(home, '.config'),
    'systemd/user',
  );
  const unit = `${name}.service`;
  const file = path.join(folder, unit);
  const link = path.join(folder, 'default.target.wants', unit);
  // A running manager reads its units again. Without one, the next one will.
  const reload = (): Promise<unknown> => run('systemctl', ['--user', 'daemon-reload']).catch(() => undefined);
  return {
    text: systemdUnit,
    read: async () => ((await exists(link)) ? readIfExists(file) : undefined),
    write: async (text) => {
      await fs.mkdir(path.dirname(link), { recursive: true });
      await replaceFile(file, text);
      await fs.rm(link, { force: true });
      await fs.symlink(`../${unit}`, link);
      await reload();
    },
    remove: async () => {
      await fs.rm(link, { force: true });
      await fs.rm(file, { force: true });
      await reload();
    },
  };
}

/** launchd reads the file at the next login. */
function launchdRegistration(name: string, { home }: LoginSystem): Registration {
  const file = path.join(home, 'Library/LaunchAgents', `${name}.plist`);
  return {
    text: (service) => launchAgent(name, service),
    read: () => readIfExists(file),
    write: async (text) => {
      await fs.mkdir(path.dirname(file), { recursive: true });
      await replaceFile(file, text);
    },
    remove: () => fs.rm(file, { force: true }),
  };
}

/** The Task Scheduler returns other text than it was given, so that ours is kept beside it to be compared. */
function taskRegistration(name: string, { home, env, user, run }: LoginSystem): Registration {
  const folder = path.join(
    env['LOCALAPPDATA'] ?? path.join(home, 'AppData/Local'),
    'notebook-executions-tasks',
  );
  const file = path.join(folder, `${name}.xml`);
  return {
    text: (service) => scheduledTask(user, service),
    read: async () => {
      const isThere = await run('schtasks.exe', ['/Query', '/TN', name]).then(
        () => true,
        () => false,
      );
      const bytes = isThere ? await fs.readFile(file).catch(() => Buffer.alloc(0)) : undefined;
      return bytes?.toString('utf16le').replace(/^\ufeff/, '');
    },
    write: async (text) => {
      await fs.mkdir(folder, { recursive: true });
      await replaceFile(file, Buffer.from(`\ufeff${text}`, 'utf16le'));
      await run('schtasks.exe', ['/Create', '/TN', name, '/XML', file, '/F']);
    },
    remove: async () => {
      await run('schtasks.exe', ['/Delete', '/TN', name, '/F']).catch(async (error: unknown) => {
        // It does not exist, unless it can be queried.
        const query = run('schtasks.exe', ['/Query', '/TN', name]);
        if (
          await query.then(
            () => true,
            () => false,
          )
        )
          throw error;
      });
      await fs.rm(file, { force: true });
    },
  };
}
