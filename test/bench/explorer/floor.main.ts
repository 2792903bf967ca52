import { subscribe } from 'node:diagnostics_channel';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';

/*
 * An extension for the benchmark alone. It has the cheapest tree that VS Code can show, constant items, to compare ours
 * with; and as it shares the extension host with ours, it tells the heap and the processor time of the host.
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
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: http.ClientRequest };
    if (request.path.includes('/executions?')) lists += 1;
  });

  const ours = vscode.extensions.getExtension('notebook-executions.notebook-executions');
  const answers: Readonly<Record<string, () => Promise<number>>> = {
    /** Answers when ours is active, too. */
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
    /** Asks for all pages of executions; answers how many more lists were requested. */
    '/loadAll': async () => {
      const before = lists;
      for (let page = 0; page < COUNT / 100; page++)
        await vscode.commands.executeCommand('notebookExecutions.loadMore');
      return lists - before;
    },
    /** Milliseconds that the host is busy for each list that is requested within ten seconds. */
    '/tick': async () => {
      const before = lists;
      const milliseconds = await busy(() => delay(10_000));
      return milliseconds / (lists - before);
    },
    /** As /tick, with one constant item drawn again twice a second. */
    '/floorTick': async () => {
      const milliseconds = await busy(async () => {
        for (let times = 0; times < 20; times++) {
          const item = items[times];
          if (item !== undefined) item.description = `changed ${String(Date.now())}`;
          changes.fire(item);
          await delay(500);
        }
      });
      return milliseconds / 20;
    },
    /** Lets the window know all items. */
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

/** Milliseconds of processor time that the host uses meanwhile: unlike its own time, not longer on a busy machine. */
async function busy(action: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
