import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import { FILES } from '../../src/protocol/execution-folder';
import { ExecutionRecordSchema, type ExecutionRecord } from '../../src/service/executions/record';
import { ensureChromium } from './chromium';
import { RESULTS, ROOT } from './paths';
import { descendantsOf, freePort, kill, processesWithEnvironment } from './processes';
import { VENV_BIN } from './python';
import { ensureServer, windowVersion, type VSCodeVersion } from './vscode-install';
import { unexpected, Workbench } from './workbench';

/** Marks every process that our VS Code starts, including detached ones, so that all of them can be ended. */
const MARK = 'NOTEBOOK_EXECUTIONS_TEST_RUN';

/** Settings that disable welcome pages, tips and the like. */
const QUIET = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'git.enabled': false,
};

export interface LaunchOptions {
  readonly version?: VSCodeVersion;
  /** Paths of packaged extensions to install. */
  readonly vsix?: readonly string[];
  /** Folder for windows that name no other folder. */
  readonly workspace: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to the server's environment, which the extension host inherits; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Required for tests in the extension host. Suppresses notification toasts. */
  readonly smokeTestDriver?: boolean;
  /** Default: a free port. */
  readonly port?: number;
  /** Asks whether to trust the workspace, as on its first opening. Default: it is trusted. */
  readonly workspaceTrust?: boolean;
  /** Folder for user data and executions. Default: a temporary one. */
  readonly home?: string;
}

export interface WindowOptions {
  readonly folder?: string;
  /** `payload` of VS Code's web workbench: pairs of names and values. */
  readonly payload?: readonly (readonly [string, string])[];
  readonly width?: number;
  readonly height?: number;
  /** Called before the page loads, to expose functions to it. */
  readonly prepare?: (context: BrowserContext) => Promise<void>;
}

/**
 * Writes the settings of a user data directory, including those of {@link QUIET}. They are written as user and as
 * machine settings, because a window on a server reads settings of machine scope from the latter.
 */
export async function writeSettings(
  userData: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const scope of ['User', 'Machine']) {
    const folder = path.join(userData, scope);
    await mkdir(folder, { recursive: true });
    await writeFile(
      path.join(folder, 'settings.json'),
      JSON.stringify({ ...QUIET, ...settings }, undefined, 2),
    );
  }
}

/**
 * A VS Code server with its own user data, extensions and executions in one temporary folder. Its windows are pages of
 * Chromium. {@link VSCode.stop} ends everything it started, including running executions.
 */
export class VSCode {
  private static readonly running = new Set<VSCode>();
  private browser: Promise<Browser> | undefined;
  private readonly windows: Workbench[] = [];

  private constructor(
    readonly url: string,
    private readonly token: string,
    /** The temporary folder of all files. */
    readonly home: string,
    /** Data directory of the embedded service of this VS Code. */
    readonly dataDirectory: string,
    private readonly options: LaunchOptions,
    private readonly server: ChildProcess,
    private readonly mark: string,
    private readonly settings: Record<string, unknown>,
  ) {}

  static async launch(options: LaunchOptions): Promise<VSCode> {
    const install = await ensureServer(options.version ?? windowVersion());
    // A short path, because the path of a socket below it may have at most 104 bytes.
    const home = options.home ?? (await mkdtemp(path.join(os.tmpdir(), 'nbx-')));
    const dataDirectory = path.join(home, 'data');
    const port = options.port ?? (await freePort());
    const mark = randomUUID();
    const token = randomUUID();
    await writePrivate(path.join(home, 'token'), token);
    const env: NodeJS.ProcessEnv = {
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(?:VSCODE|ELECTRON|NODE_OPTIONS)/.test(name)),
      ),
      PATH: [VENV_BIN, process.env['PATH']].join(path.delimiter),
      ...options.env,
      [MARK]: mark,
    };
    const places = [
      ...['--server-data-dir', path.join(home, 'server'), '--user-data-dir', path.join(home, 'user')],
      ...['--extensions-dir', path.join(home, 'extensions')],
    ];
    const installs = (options.vsix ?? []).flatMap((vsix) => ['--install-extension', vsix]);
    if (installs.length > 0) {
      const { status, stdout, stderr } = spawnSync(
        install.node,
        [install.main, ...installs, '--force', ...places],
        { env, encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(`The extensions could not be installed: ${stdout}${stderr}`);
    }
    const args = [
      ...[
        install.main,
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--connection-token-file',
        path.join(home, 'token'),
      ],
      ...['--accept-server-license-terms', '--telemetry-level', 'off', ...places],
      // Use the PATH given here, not that of a login shell.
      '--force-disable-user-env',
      ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
      ...(options.smokeTestDriver === true ? ['--enable-smoke-test-driver'] : []),
    ];
    await mkdir(RESULTS, { recursive: true });
    const log = createWriteStream(path.join(RESULTS, `vscode-server-${String(port)}.log`));
    // Its own process group, so that all its processes can be ended.
    const server = spawn(install.node, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    server.stdout.pipe(log);
    server.stderr.pipe(log);
    const settings = { 'notebookExecutions.dataDirectory': dataDirectory, ...options.settings };
    const url = `http://127.0.0.1:${String(port)}`;
    const vscode = new VSCode(url, token, home, dataDirectory, options, server, mark, settings);
    endWithProcess(VSCode.running);
    VSCode.running.add(vscode);
    try {
      await vscode.changeSettings({});
      await vscode.answers();
    } catch (error) {
      await vscode.stop();
      throw error;
    }
    return vscode;
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const response = await fetch(`${this.url}/version`).catch(() => undefined);
      if (response?.ok === true) return;
      if (this.server.exitCode !== null) {
        throw new Error(
          `VS Code's server ended with ${String(this.server.exitCode)}; its log is in ${RESULTS}.`,
        );
      }
      await delay(100);
    }
    throw new Error(`VS Code's server does not answer at ${this.url}.`);
  }

  /** Changes the user's settings; open windows apply them. */
  async changeSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    Object.assign(this.settings, changes);
    await writeSettings(path.join(this.home, 'user'), this.settings);
  }

  /** The URL of a window. It contains the access token, which other users of this machine do not have. */
  windowUrl({ folder = this.options.workspace, payload = [] }: WindowOptions = {}): string {
    const query = new URLSearchParams({ tkn: this.token, folder });
    if (payload.length > 0) query.set('payload', JSON.stringify(payload));
    return `${this.url}/?${query.toString()}`;
  }

  /** Opens a window and waits for its workbench. Each window has its own browser context; only the server is shared. */
  async openWindow(options: WindowOptions = {}): Promise<Workbench> {
    this.browser ??= ensureChromium().then((executablePath) =>
      chromium.launch({
        executablePath,
        args: CHROMIUM_ARGUMENTS,
        // Chromium writes crash reports there, wherever its profile is.
        env: { ...process.env, XDG_CONFIG_HOME: path.join(this.home, 'chromium') },
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      }),
    );
    const context = await (
      await this.browser
    ).newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 860 },
      locale: 'en-US',
      // Without this, the processor redraws spinning icons sixty times a second.
      reducedMotion: 'reduce',
    });
    await options.prepare?.(context);
    const page = await context.newPage();
    // Much longer than anything takes, even on a busy machine.
    page.setDefaultTimeout(120_000);
    const workbench = new Workbench(page);
    this.windows.push(workbench);
    await workbench.watchErrors();
    await page.goto(this.windowUrl(options));
    await workbench.ready();
    if (this.options.vsix !== undefined) {
      // All extensions' contributions appear at the same time, including the notebook editor.
      await workbench.activity('Notebook Executions').waitFor();
    }
    return workbench;
  }

  /** Process ids of its extension hosts, one for each window that is open or was recently closed. */
  extensionHostPids(): number[] {
    return this.server.pid === undefined
      ? []
      : descendantsOf(this.server.pid)
          .filter(({ command }) => command.includes('--type=extensionHost'))
          .map(({ pid }) => pid);
  }

  /** Process ids of all running processes that it started, including the detached service and runners. */
  startedPids(): number[] {
    return processesWithEnvironment(MARK, this.mark).map(({ pid }) => pid);
  }

  /** The records of the embedded service's executions, oldest first. */
  async records(): Promise<ExecutionRecord[]> {
    const files = await readdir(this.dataDirectory, { recursive: true }).catch(() => []);
    const records = await Promise.all(
      files
        .filter((file) => path.basename(file) === FILES.execution && !file.includes(`${path.sep}.`))
        .map(async (file) =>
          ExecutionRecordSchema.parse(
            JSON.parse(await readFile(path.join(this.dataDirectory, file), 'utf8')),
          ),
        ),
    );
    return records.sort((one, other) => one.createTime.localeCompare(other.createTime));
  }

  /** Resolves when the server has ended, by itself or through {@link VSCode.stop}. */
  async ended(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) await once(this.server, 'exit');
  }

  /** Closes the windows and ends the server. Executions keep running. */
  async stopEditor(): Promise<void> {
    VSCode.running.delete(this);
    await (await this.browser)?.close();
    if (this.server.pid !== undefined) kill(-this.server.pid);
    await this.ended();
  }

  /** Ends it as after a signal: if `home` was given, executions keep running. */
  async end(): Promise<void> {
    await (this.options.home === undefined ? this.stop() : this.stopEditor());
  }

  /**
   * Closes the windows, ends the server, its embedded service and all runners and kernels, and deletes its files.
   * @throws if a window has shown an error that the test did not name.
   */
  async stop(): Promise<void> {
    await this.stopEditor();
    const service = path.join(ROOT, 'dist/service.js');
    if (existsSync(service) && existsSync(this.dataDirectory))
      spawnSync(process.execPath, [service, 'stop', '--data-dir', this.dataDirectory], { timeout: 20_000 });
    for (const pid of this.startedPids()) kill(pid);
    if (this.options.home === undefined) await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
    // Tests within the extension host look at messages themselves.
    if (this.options.smokeTestDriver === true) return;
    const errors = this.windows.flatMap((window) => window.unexpectedErrors());
    if (errors.length > 0) throw new Error(unexpected(errors));
  }
}

let handled = false;

/** When a signal ends this process, ends all running VS Codes first. */
function endWithProcess(running: ReadonlySet<VSCode>): void {
  if (handled) return;
  handled = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void Promise.allSettled([...running].map((vscode) => vscode.end())).then(() => {
        process.exit(128 + os.constants.signals[signal]);
      });
    });
  }
}

/** Writes a file that only this user can read. */
async function writePrivate(file: string, content: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true });
  await writeFile(file, content, { mode: 0o600, flag: 'wx' });
}

const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
