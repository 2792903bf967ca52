import { runTests } from '@vscode/test-electron';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { copyExamples, removeWorkspace } from './examples';
import { REPORT_FILE, type SuiteReport } from './mocha';
import { RESULTS, ROOT } from './paths';
import { NEIGHBOURS, packageSmallExtension, writeSmallExtension } from './small-extension';
import { findDesktop, type VSCodeVersion } from './vscode-install';
import { VSCode, writeSettings } from './vscode';

const TESTS = path.join(ROOT, 'out/test/host/index.js');
const LIMIT_MS = 38 * 60_000;

/**
 * Gives all webviews one service worker, as newer versions of VS Code do. Runs in every frame of the oldest VS Code. There,
 * each webview registers a worker of its own, which takes over when the one before it has no request left. Requests of a
 * webview that is closed while it loads are given up after 30 seconds: for so long no notebook editor would open after a
 * test that closes one at once.
 */
const ONE_SERVICE_WORKER = `if (location.pathname.includes('/webview/browser/pre/index') && navigator.serviceWorker) {
  const { serviceWorker } = navigator;
  const register = serviceWorker.register.bind(serviceWorker);
  serviceWorker.register = async (script) => {
    const registration = await register(script.replace(/&id=[^&]*/, ''));
    // The webview waits for its own worker to take over. It is in control already, unless this webview is the first.
    if (serviceWorker.controller) setTimeout(() => serviceWorker.dispatchEvent(new Event('controllerchange')));
    return registration;
  };
}`;

/**
 * Runs the suites of test/host in the extension host of a VS Code version: in the desktop editor if available, else in
 * the server with a window in Chromium.
 */
export async function runHostSuite(version: VSCodeVersion): Promise<SuiteReport> {
  const workspace = await copyExamples();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'nbx-report-'));
  const report = path.join(folder, 'report.json');
  try {
    const desktop = await findDesktop(version);
    await (desktop === undefined
      ? runInServer(version, folder, workspace, { [REPORT_FILE]: report })
      : runInDesktop(desktop, folder, workspace, { [REPORT_FILE]: report }));
    return JSON.parse(await readFile(report, 'utf8')) as SuiteReport;
  } finally {
    await removeWorkspace(workspace);
    await rm(folder, { recursive: true, force: true });
  }
}

async function runInServer(
  version: VSCodeVersion,
  folder: string,
  workspace: string,
  env: Record<string, string>,
): Promise<void> {
  const vsix: string[] = [];
  for (const neighbour of NEIGHBOURS) vsix.push(await packageSmallExtension(neighbour, folder));
  const vscode = await VSCode.launch({ version, vsix, workspace, env, smokeTestDriver: true });
  const log = createWriteStream(path.join(RESULTS, `host-${version}.log`));
  try {
    const remote = `vscode-remote://${new URL(vscode.url).host}`;
    let exit: (code: number) => void;
    const ended = new Promise<number>((resolve) => {
      exit = resolve;
    });
    await vscode.openWindow({
      payload: [
        ['extensionDevelopmentPath', remote + ROOT],
        ['extensionTestsPath', remote + TESTS],
      ],
      // VS Code's web workbench calls these two functions when it runs tests.
      prepare: async (context) => {
        if (version === 'oldest') await context.addInitScript({ content: ONE_SERVICE_WORKER });
        await context.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => {
          log.write(`[${type}] ${args.map(String).join(' ')}\n`);
        });
        await context.exposeFunction('codeAutomationExit', (code: number) => {
          exit(code);
        });
      },
    });
    const limit = new AbortController();
    const code = await Promise.race([ended, delay(LIMIT_MS, undefined, { signal: limit.signal })]);
    limit.abort();
    if (code === undefined)
      throw new Error(`The extension host’s tests did not end within ${String(LIMIT_MS / 60_000)} minutes.`);
  } finally {
    await vscode.stop();
    log.end();
  }
}

async function runInDesktop(
  vscodeExecutablePath: string,
  folder: string,
  workspace: string,
  extensionTestsEnv: Record<string, string>,
): Promise<void> {
  const user = path.join(folder, 'user');
  const neighbours = await Promise.all(NEIGHBOURS.map((each) => writeSmallExtension(each, folder)));
  await writeSettings(user, { 'notebookExecutions.dataDirectory': path.join(folder, 'data') });
  const launchArgs = [
    workspace,
    '--user-data-dir',
    user,
    '--extensions-dir',
    path.join(folder, 'extensions'),
  ];
  await runTests({
    vscodeExecutablePath,
    extensionDevelopmentPath: [ROOT, ...neighbours],
    extensionTestsPath: TESTS,
    extensionTestsEnv,
    launchArgs: [...launchArgs, '--disable-workspace-trust'],
  }).catch((error: unknown) => {
    // Failing tests also end the process with an error; the report tells the difference.
    console.error(String(error));
  });
}
