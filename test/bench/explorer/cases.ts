import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { copyExamples, removeWorkspace, writeNotebook } from '../../support/examples';
import { executeFromExplorer } from '../../support/main-job';
import { packageSmallExtension } from '../../support/small-extension';
import { until } from '../../support/until';
import { VSCode } from '../../support/vscode';
import { packageExtension } from '../../support/vsix';
import type { Workbench } from '../../support/workbench';
import type { Case, Measured } from '../cases';
import { writeFinishedExecutions } from '../finished-executions';

const COUNT = 10_000;

/** The tree of constant items as baseline, see floor.main.ts. */
const FLOOR = 'constant tree';
const FLOOR_CONTRIBUTES = {
  viewsContainers: { activitybar: [{ id: 'floor', title: 'Floor', icon: 'README.md' }] },
  views: { floor: [{ id: 'floor.tree', name: 'Floor' }] },
};

/** A notebook whose progress changes with every poll. */
const TICKING = Array.from({ length: 1000 }, () => 'import time\ntime.sleep(0.4)');

/** A window of VS Code with ours and the constant tree, and access to its extension host. */
interface Probe {
  readonly window: Workbench;
  /** Sends a request to floor.main.ts in the window's extension host. */
  readonly ask: (what: string) => Promise<number>;
}

/** A VS Code whose embedded service has 10,000 executions. */
class ExplorerBench {
  private constructor(
    private readonly vscode: VSCode,
    private readonly workspace: string,
    private readonly portFile: string,
  ) {}

  static async launch(folder: string): Promise<ExplorerBench> {
    const workspace = await copyExamples();
    await writeNotebook(path.join(workspace, 'ticking.ipynb'), TICKING);
    const portFile = path.join(folder, 'port');
    const floor = {
      id: 'bench.floor',
      code: await readFile(path.join(__dirname, 'explorer/floor.main.js'), 'utf8'),
      activationEvents: ['onStartupFinished'],
      contributes: FLOOR_CONTRIBUTES,
    };
    const vscode = await VSCode.launch({
      vsix: [await packageExtension(), await packageSmallExtension(floor, folder)],
      workspace,
      settings: { 'notebookExecutions.openOutput': 'never' },
      env: { NOTEBOOK_EXECUTIONS_BENCH_PORT: portFile },
    });
    writeFinishedExecutions(vscode.dataDirectory, COUNT);
    const bench = new ExplorerBench(vscode, workspace, portFile);
    // Starts the service, which reads all of them.
    const { window } = await bench.openWindow();
    await showTree(window, 'Notebook Executions', /Succeeded/);
    await window.close();
    return bench;
  }

  async openWindow(): Promise<Probe> {
    await rm(this.portFile, { force: true });
    const window = await this.vscode.openWindow();
    await until('the extensions are active', () => existsSync(this.portFile));
    const port = await until('its port is known', () => readFile(this.portFile, 'utf8'));
    const ask = async (what: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}/${what}`);
      const text = await response.text();
      assert.ok(response.ok, `${what}: ${text}`);
      return Number(text);
    };
    await ask('ready');
    return { window, ask };
  }

  async stop(): Promise<void> {
    await this.vscode.stop();
    await removeWorkspace(this.workspace);
  }
}

/** Opens a view and waits for the first row. */
async function showTree(window: Workbench, name: string, row: RegExp): Promise<void> {
  await window.activity(name).click({ force: true });
  await window.page.locator('.sidebar .pane .monaco-list-row', { hasText: row }).first().waitFor();
}

/**
 * From the click on the view's icon to its first row, in a new window; memory is what the heap of the extension host grows by
 * once all executions are in the tree.
 */
export function explorerCase(name: string, rounds: number, limit: number, memoryLimit: number): Case {
  let bench: ExplorerBench | undefined;
  const opening = async (folder: string, icon: string, row: RegExp, load: string): Promise<Measured> => {
    bench ??= await ExplorerBench.launch(folder);
    const { window, ask } = await bench.openWindow();
    const before = await ask('heap');
    let grown: number | undefined;
    return {
      run: () => showTree(window, icon, row),
      async check() {
        assert.ok((await ask(load)) >= COUNT / 100 - 1, 'Not all executions were asked for.');
        grown = ((await ask('heap')) - before) / 1e6;
      },
      megabytes: () => grown,
      close: () => window.close(),
    };
  };
  return {
    name,
    rounds,
    limit,
    memoryLimit,
    ours: (folder) => opening(folder, 'Notebook Executions', /Succeeded/, 'loadAll'),
    peers: {
      [FLOOR]: { prepare: (folder) => opening(folder, 'Floor', /All/, 'floorLoad') },
    },
    async close() {
      await bench?.stop();
      bench = undefined;
    },
  };
}

/**
 * The processor time of the extension host between two polls, each of which changes one of 10,000 executions in the
 * open view: the median over ten seconds. For comparison, the same for one changed item of the constant tree.
 */
export function tickCase(name: string, rounds: number, limit: number): Case {
  let bench: ExplorerBench | undefined;
  const probes = new Map<string, Probe>();
  const ticking = async (folder: string, icon: string, prepare: (probe: Probe) => Promise<unknown>) => {
    bench ??= await ExplorerBench.launch(folder);
    const known = probes.get(icon);
    if (known !== undefined) return known;
    const probe = await bench.openWindow();
    await prepare(probe);
    probes.set(icon, probe);
    return probe;
  };
  const measured = (probe: Probe, what: string): Measured => {
    let milliseconds = NaN;
    return {
      run: async () => {
        milliseconds = await probe.ask(what);
      },
      seconds: () => milliseconds / 1000,
      check: () => Promise.resolve(),
      megabytes: () => undefined,
    };
  };
  return {
    name,
    rounds,
    limit,
    async ours(folder) {
      const probe = await ticking(folder, 'Notebook Executions', async ({ window, ask }) => {
        await executeFromExplorer(window, 'ticking.ipynb');
        await showTree(window, 'Notebook Executions', /Succeeded/);
        await ask('loadAll');
        await window.execution('ticking is running').waitFor();
      });
      return measured(probe, 'tick');
    },
    peers: {
      [FLOOR]: {
        async prepare(folder) {
          const probe = await ticking(folder, 'Floor', async ({ window, ask }) => {
            await showTree(window, 'Floor', /All/);
            await ask('floorLoad');
          });
          return measured(probe, 'floorTick');
        },
      },
    },
    async close() {
      probes.clear();
      await bench?.stop();
      bench = undefined;
    },
  };
}
