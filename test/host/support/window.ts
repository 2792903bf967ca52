import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Execution } from '../../../src/execution/execution';
import type { TrackedExecution } from '../../../src/tracking/execution-store';
import { ScriptedService } from '../../unit/tracking/scripted-service';
import { shipped } from './executions';

/** A tree view without a window, as returned by `createTreeView` here. */
export class FakeTreeView {
  visible = false;
  badge: vscode.ViewBadge | undefined;
  message = '';
  readonly selection = [];
  readonly visibility = new vscode.EventEmitter<{ visible: boolean }>();
  readonly onDidChangeVisibility = this.visibility.event;
  readonly onDidCollapseElement = new vscode.EventEmitter<unknown>().event;
  readonly onDidExpandElement = new vscode.EventEmitter<unknown>().event;
  readonly revealed: unknown[] = [];

  show(visible: boolean): void {
    this.visible = visible;
    this.visibility.fire({ visible });
  }

  reveal(node: unknown): Promise<void> {
    this.revealed.push(node);
    return Promise.resolve();
  }

  dispose(): void {
    this.visibility.dispose();
  }
}

/** A store with one scripted service, in a window with replaceable functions. */
export class FakeWindow {
  readonly store = new (shipped().ExecutionStore)();
  private readonly service = new ScriptedService();
  private readonly originals = new Map<string, unknown>();

  constructor() {
    this.store.addService(this.service);
  }

  /** Adds an execution to the store. */
  put(id: string, fields: Partial<Execution> = {}): TrackedExecution {
    return this.store.apply(this.store.begin(), this.service, this.service.put(id, fields));
  }

  /** Replaces a function of `vscode.window`. */
  replace(name: keyof typeof vscode.window, fake: unknown): void {
    if (!this.originals.has(name)) this.originals.set(name, Reflect.get(vscode.window, name));
    assert.ok(Reflect.set(vscode.window, name, fake));
  }

  /** Restores the originals. */
  dispose(): void {
    this.store.dispose();
    for (const [name, original] of this.originals) Reflect.set(vscode.window, name, original);
  }
}
