import { subscribe } from 'node:diagnostics_channel';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';

/*
 * An extension for the benchmark. It has the cheapest tree that VS Code can show, with constant items, as baseline;
 * and because it shares the extension host with ours, it measures the heap and the processor time of the host.
 */

/** Items of the constant tree. */
const COUNT = 10_000;

export function activate(context: vscode.ExtensionContext): void {
  const items = Array.from({ length: COUNT }, (_, index) => {
    const item = new vscode.TreeItem(`notebook-${String(index)}`);
    item.id = String(index);
    item.description = 'constant';
    return item;
  });
  const changes = new vscode.EventEmitter<vscode.TreeItem | undefined>();
  const group = new vscode.TreeItem('All', vscode.TreeItemCollapsibleState.Collapsed);
  const view = vscode.window.createTreeView<vscode.TreeItem>('floor.tree', {
    treeDataProvider: {
      onDidChangeTreeData: changes.event,
      getChildren: (item) => (item === undefined ? [group] : item === group ? items : []),
      getTreeItem: (item) => item,
      getParent: (item) => (item === group ? undefined : group),
    },
  });

  let lists = 0;
  let ticked = (): void => undefined;
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: http.ClientRequest };
    if (!request.path.includes('/executions?')) return;
    lists += 1;
    // A poll starts with the list of the newest; pages of older ones belong to the poll that requests them.
    if (!request.path.includes('pageToken=')) ticked();
  });

  const ours = vscode.extensions.getExtension('notebook-executions.notebook-executions');
  const answers: Readonly<Record<string, () => Promise<number>>> = {
    /** Responds once ours is active, too. */
    '/ready': async () => {
      await ours?.activate();
      return 0;
    },
    /** Bytes in use after a collection. */
    '/heap': async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      for (let times = 0; times < 3; times++) {
        collect();
        await delay(100);
      }
      return process.memoryUsage().heapUsed;
    },
    /** Requests all pages of executions; returns the number of additional list requests. */
    '/loadAll': async () => {
      const before = lists;
      for (let page = 0; page < COUNT / 100; page++)
        await vscode.commands.executeCommand('notebookExecutions.loadMore');
      return lists - before;
    },
    /** Milliseconds that the host is busy between two polls: the median over ten seconds. */
    '/tick': async () => {
      const busy = new BusyTimes();
      ticked = () => {
        busy.next();
      };
      await delay(10_000);
      ticked = () => undefined;
      return busy.median();
    },
    /** Like /tick, with one constant item redrawn twice a second. */
    '/floorTick': async () => {
      const busy = new BusyTimes();
      for (let times = 0; times <= 20; times++) {
        busy.next();
        const item = items[times];
        if (item !== undefined) item.description = `changed ${String(Date.now())}`;
        changes.fire(item);
        await delay(500);
      }
      return busy.median();
    },
    /** Sends all items to the window. */
    '/floorLoad': async () => {
      const last = items.at(-1);
      if (last !== undefined) await view.reveal(last);
      return items.length;
    },
  };
  const server = http.createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) {
      response.writeHead(404).end();
      return;
    }
    answer().then(
      (value) => response.end(String(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    writeFileSync(
      process.env['NOTEBOOK_EXECUTIONS_BENCH_PORT'] ?? '',
      String((server.address() as AddressInfo).port),
    );
  });
  context.subscriptions.push(view, changes, { dispose: () => server.close() });
}

/**
 * Milliseconds of processor time that the host uses between two moments, for any purpose: unlike wall-clock time, not
 * longer on a busy machine.
 */
class BusyTimes {
  private readonly times: number[] = [];
  private before: NodeJS.CpuUsage | undefined;

  next(): void {
    if (this.before !== undefined) {
      const { user, system } = process.cpuUsage(this.before);
      this.times.push((user + system) / 1000);
    }
    this.before = process.cpuUsage();
  }

  /** Excludes occasional work such as VS Code's own check of ports. */
  median(): number {
    const sorted = this.times.sort((one, other) => one - other);
    const median = sorted[Math.floor(sorted.length / 2)];
    if (median === undefined || sorted.length < 5) throw new Error(`only ${String(sorted.length)} ticks`);
    return median;
  }
}
