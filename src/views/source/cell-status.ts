import * as vscode from 'vscode';
import { isActive } from '../../execution/states';
import type { Clock, Disposable } from '../../tracking/clock';
import type { TrackedExecution } from '../../tracking/execution-store';
import { hasFailed, mayHaveOutput, parseTime } from '../../wording/execution-facts';
import { isParametersCell } from '../parameters-cell';
import { causeLabel, explain } from '../../wording/end-sentences';
import { commandOf } from '../../wording/own-commands';
import { formatDuration, oneLine } from '../../wording/text';
import type { LatestExecutions } from './latest-executions';

/** How often the elapsed time of a running cell is redrawn, in milliseconds. */
const REDRAW = 1000;

/**
 * Status bar items below the cells of a source notebook: on the cell that its latest execution is running or failed at,
 * and on the parameters cell.
 */
export class CellStatus implements vscode.NotebookCellStatusBarItemProvider, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  readonly onDidChangeCellStatusBarItems = this.emitter.event;
  private readonly subscriptions: Disposable[];
  private timer: Disposable | undefined;

  constructor(
    private readonly latest: LatestExecutions,
    private readonly clock: Clock,
  ) {
    const update = () => {
      this.tick();
    };
    this.subscriptions = [
      vscode.notebooks.registerNotebookCellStatusBarItemProvider('jupyter-notebook', this),
      vscode.window.onDidChangeVisibleNotebookEditors(update),
      latest.onDidChange((sources) => {
        if (this.visible().some((source) => sources.includes(source))) this.emitter.fire();
        this.tick();
      }),
    ];
  }

  provideCellStatusBarItems(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem[] {
    const items = isParametersCell(cell) ? [parametersItem(cell)] : [];
    const tracked = this.latest.of(cell.notebook.uri.toString());
    const item = tracked === undefined ? undefined : executionItem(cell, tracked, this.clock.now());
    return item === undefined ? items : [...items, item];
  }

  dispose(): void {
    this.timer?.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
    this.emitter.dispose();
  }

  /** URIs of the visible notebooks. */
  private visible(): string[] {
    return vscode.window.visibleNotebookEditors.map(({ notebook }) => notebook.uri.toString());
  }

  /** Redraws elapsed times while a visible notebook has a running cell. */
  private tick(): void {
    const runs = this.visible().some(
      (source) => this.latest.of(source)?.execution.runStatus?.progress?.cell !== undefined,
    );
    if (!runs || this.timer !== undefined) return;
    this.timer = this.clock.after(REDRAW, () => {
      this.timer = undefined;
      this.emitter.fire();
      this.tick();
    });
  }
}

function executionItem(
  cell: vscode.NotebookCell,
  tracked: TrackedExecution,
  now: number,
): vscode.NotebookCellStatusBarItem | undefined {
  const { execution } = tracked;
  const id: unknown = (cell.metadata as Record<string, unknown>)['id'];
  if (typeof id !== 'string') return undefined;
  const running = isActive(execution.state) ? execution.runStatus?.progress?.cell : undefined;
  if (running?.id === id) {
    const start = parseTime(running.startTime) ?? now;
    const text = vscode.l10n.t('running {0}', formatDuration(now - start));
    const tooltip = vscode.l10n.t('An execution of this notebook runs this cell. Select to open its output.');
    return itemOf(
      `$(sync~spin) ${text}`,
      tooltip,
      mayHaveOutput(tracked) ? [tracked, running.index] : undefined,
    );
  }
  const { cell: failure, cause } = execution.runStatus ?? {};
  if (!hasFailed(execution.state) || failure?.id !== id) return undefined;
  const reason = failure.errorName ?? (cause === undefined ? vscode.l10n.t('failed') : causeLabel(cause));
  const name = oneLine(reason, 40).replaceAll('$(', '$ (');
  const hint = vscode.l10n.t(
    'The last execution of this notebook failed at this cell. Select to open its output.',
  );
  const tooltip = [explain(execution) ?? [], hint].flat().join('\n');
  return itemOf(`$(error) ${name}`, tooltip, mayHaveOutput(tracked) ? [tracked, failure.index] : undefined);
}

/** @param target the output and the index of the cell that the item opens, counted from 0. */
function itemOf(
  text: string,
  tooltip: string,
  target: readonly [TrackedExecution, number] | undefined,
): vscode.NotebookCellStatusBarItem {
  const item = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Left);
  item.tooltip = tooltip;
  if (target !== undefined) {
    const [tracked, index] = target;
    item.command = commandOf(
      vscode.l10n.t('Open Cell'),
      'notebookExecutions.openCell',
      { kind: 'execution', tracked },
      index,
    );
  }
  return item;
}

function parametersItem(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem {
  const item = new vscode.NotebookCellStatusBarItem(
    `$(symbol-parameter) ${vscode.l10n.t('Parameters')}`,
    vscode.NotebookCellStatusBarAlignment.Left,
  );
  item.tooltip = vscode.l10n.t('Executions read their parameters from this cell. Select to remove the mark.');
  item.command = commandOf(
    vscode.l10n.t('Remove Parameters Mark'),
    'notebookExecutions.unmarkParametersCell',
    cell,
  );
  return item;
}
