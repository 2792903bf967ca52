import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import type { Execution } from '../../../src/execution/execution';
import { DEFAULT_ARRANGEMENT } from '../../../src/views/explorer/arrangement';
import type { TreeNode } from '../../../src/views/explorer/nodes';
import { FakeClock } from '../../unit/tracking/fake-clock';
import { nameOf, ScriptedService } from '../../unit/tracking/scripted-service';
import { shipped } from './executions';

/** The explorer's tree without a view: how it renders the executions of one scripted service. */
export class Tree {
  readonly clock = new FakeClock();
  readonly service = new ScriptedService();
  readonly store = new (shipped().ExecutionStore)();
  readonly provider = new (shipped().ExecutionTreeProvider)({
    store: this.store,
    clock: this.clock,
    arrangement: DEFAULT_ARRANGEMENT,
  });
  /** Elements that the provider asked to redraw. */
  readonly fired: (TreeNode[] | undefined)[] = [];

  constructor() {
    this.provider.onDidChangeTreeData((nodes) => this.fired.push(nodes));
  }

  dispose(): void {
    this.provider.dispose();
    this.store.dispose();
  }

  /** A time this number of seconds from now. */
  time(seconds: number): string {
    return new Date(this.clock.now() + seconds * 1000).toISOString();
  }

  /** Adds an execution to the service. */
  put(id: string, fields: Partial<Execution> = {}): Execution {
    return this.service.put(id, {
      createTime: this.time(-100),
      runOptions: { source: `file:///w/${id}.ipynb`, templateName: 'Large machine' },
      ...fields,
    });
  }

  /** Updates the store with the executions of the service. */
  list(): void {
    this.store.addService(this.service);
    this.store.applyFirstPage(this.store.begin(), this.service, {
      executions: [...this.service.executions.values()],
    });
    this.fired.length = 0;
  }

  /** Updates one execution in the store. */
  replace(id: string, fields: Partial<Execution>): void {
    const before = this.service.executions.get(nameOf(id));
    this.store.apply(this.store.begin(), this.service, this.service.put(id, { ...before, ...fields }));
  }

  /** The tree as text: labels and descriptions, indented. */
  async shown(node?: TreeNode, depth = 1): Promise<string[]> {
    const lines: string[] = [];
    for (const child of await this.provider.getChildren(node)) {
      const { label, description } = this.provider.getTreeItem(child);
      lines.push(`${label as string} ${String(description ?? '')}`.trimEnd());
      if (depth > 0) lines.push(...(await this.shown(child, depth - 1)).map((line) => `  ${line}`));
    }
    return lines;
  }

  async rowOf(id: string): Promise<vscode.TreeItem> {
    await this.provider.getChildren();
    const node = this.provider.nodeOf(`test|${nameOf(id)}`);
    assert.ok(node, id);
    return this.provider.resolveTreeItem(this.provider.getTreeItem(node), node);
  }
}
