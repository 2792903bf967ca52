import * as vscode from 'vscode';
import type { Execution } from '../../../execution/execution';
import { wholeExecution } from '../../../execution/whole-execution';
import { isActive } from '../../../execution/states';
import { hasFailed, mayHaveOutput, parseTime } from '../../../wording/execution-facts';
import { secretPatterns } from '../../../wording/names';
import { cellsDone, explain, failedCellOf } from '../../../wording/end-sentences';
import { commandOf } from '../../../wording/own-commands';
import { presentState } from '../../../wording/state-presentation';
import { formatDuration, oneLine } from '../../../wording/text';
import { warningSentence } from '../../../wording/warning-sentences';
import type { DetailNode, ExecutionNode } from '../nodes';
import { parametersOf } from './parameters';
import { slowestCells } from './slowest-cells';
import { tooltipOf } from './tooltip';

/** The lines below an execution: progress, cause of the end, parameters, slowest cells, warnings, attempts. */
export function detailsOf(node: ExecutionNode, now: number): DetailNode[] {
  const { execution } = node.tracked;
  return [
    ...progressOf(node, execution, now),
    ...endingOf(node, execution),
    ...parametersNode(node, execution),
    ...slowestNode(node, execution),
    ...warningsOf(node, execution),
    ...attemptsOf(node, execution),
  ];
}

function progressOf(node: ExecutionNode, execution: Execution, now: number): DetailNode[] {
  const progress = execution.runStatus?.progress;
  if (!isActive(execution.state)) return [];
  if (progress === undefined) {
    // Show at least how long it has been in its state: a row that unfolds to nothing would be confusing.
    const { label, icon } = presentState(execution.state);
    return [detail(node, 'progress', { label, icon: icon.id, ...since(execution.createTime, now) })];
  }
  const { cell } = progress;
  const { startTime } = execution.runStatus ?? {};
  const lines = [
    detail(node, 'progress', {
      label: cellsDone(progress),
      icon: 'checklist',
      ...since(startTime, now),
    }),
  ];
  if (cell !== undefined) {
    lines.push(
      detail(node, 'cell', {
        label: vscode.l10n.t('Cell {0}: {1}', cell.index + 1, oneLine(cell.firstLine ?? '')),
        icon: 'play',
        ...since(cell.startTime, now),
        ...(mayHaveOutput(node.tracked) ? { command: openCell(node, cell.index) } : {}),
      }),
    );
  }
  return lines;
}

/** Command that opens the output at a cell, counted from 0 over all cells. */
function openCell(node: ExecutionNode, index: number): vscode.Command {
  return commandOf(vscode.l10n.t('Open Cell'), 'notebookExecutions.openCell', node, index);
}

/** Elapsed time since a start, as the current text and as a function of the time. */
function since(startTime: string | undefined, now: number): Partial<Line> {
  const start = parseTime(startTime);
  if (start === undefined) return {};
  const elapsed = (time: number) => formatDuration(time - start);
  return { description: elapsed(now), elapsed };
}

function endingOf(node: ExecutionNode, execution: Execution): DetailNode[] {
  const explanation = explain(execution);
  if (explanation === undefined) return [];
  const cell = failedCellOf(execution);
  const tooltip = tooltipOf(explanation);
  if (cell === undefined)
    return [detail(node, 'cause', { label: explanation, icon: causeIcon(execution), tooltip })];
  return [
    detail(node, 'cause', {
      label: vscode.l10n.t('Cell {0}', cell.number),
      description: cell.error || explanation,
      icon: causeIcon(execution),
      tooltip,
      spoken: explanation,
      contextValue: 'detail failedCell hasInput',
      command: commandOf(vscode.l10n.t('Open Failed Cell'), 'notebookExecutions.openFailedCell', node),
    }),
  ];
}

function causeIcon(execution: Execution): string {
  return hasFailed(execution.state) ? 'error' : 'info';
}

/** How many parameters are shown at most: larger trees are slow to draw. */
const MAX_PARAMETERS = 1000;

function parametersNode(node: ExecutionNode, execution: Execution): DetailNode[] {
  const listed = execution.executionTemplate?.parameters ?? '';
  const isOmitted = execution.runStatus?.omitted?.includes('executionTemplate.parameters') === true;
  if (listed.trim() === '' && !isOmitted) return [];
  const parent: DetailNode = detail(
    node,
    'parameters',
    { label: vscode.l10n.t('Parameters'), icon: 'symbol-parameter' },
    async () => {
      const { executionTemplate } = await wholeExecution(node.tracked.service, execution);
      const parameters = await parametersOf(executionTemplate?.parameters ?? '', secretPatterns());
      const more = parameters.length - MAX_PARAMETERS;
      const rows = parameters.slice(0, MAX_PARAMETERS).map(([name, value], index) =>
        detail(parent, `parameter/${String(index)}`, {
          label: oneLine(name, 100),
          description: oneLine(value),
          tooltip: tooltipOf(`${name}: ${value}`),
          spoken: `${oneLine(name, 100)}: ${oneLine(value)}`,
        }),
      );
      if (more <= 0) return rows;
      return [...rows, detail(parent, 'parameter/more', { label: vscode.l10n.t('{0} more', more) })];
    },
  );
  return [parent];
}

function slowestNode(node: ExecutionNode, execution: Execution): DetailNode[] {
  if (isActive(execution.state) || execution.runStatus?.startTime === undefined) return [];
  const parent: DetailNode = detail(
    node,
    'slowest',
    { label: vscode.l10n.t('Slowest Cells'), icon: 'dashboard' },
    async () => {
      const cells = await slowestCells(node.tracked);
      if (cells === undefined)
        return [detail(parent, 'slowest/none', { label: vscode.l10n.t('No cell timings are available.') })];
      return cells.map(({ index, firstLine, milliseconds }) =>
        detail(parent, `slowest/${String(index)}`, {
          label: formatDuration(milliseconds),
          description: vscode.l10n.t('Cell {0}: {1}', index + 1, oneLine(firstLine)),
          spoken: vscode.l10n.t(
            'Cell {0} took {1}: {2}',
            index + 1,
            formatDuration(milliseconds),
            oneLine(firstLine),
          ),
          command: openCell(node, index),
        }),
      );
    },
  );
  return [parent];
}

function warningsOf(node: ExecutionNode, execution: Execution): DetailNode[] {
  return (execution.runStatus?.warnings ?? []).slice(0, 50).map((warning, index) => {
    const label = warningSentence(warning);
    const tooltip = tooltipOf(label);
    const spoken = vscode.l10n.t('Warning: {0}', label);
    return detail(node, `warning/${String(index)}`, { label, tooltip, spoken, icon: 'warning' });
  });
}

function attemptsOf(node: ExecutionNode, execution: Execution): DetailNode[] {
  const attempt = execution.runStatus?.attempt ?? 1;
  const most = execution.runOptions?.maxAttempts ?? 1;
  if (attempt === 1 && most === 1) return [];
  return [
    detail(node, 'attempt', {
      label: vscode.l10n.t('Attempt {0} of at most {1}', attempt, Math.max(attempt, most)),
      icon: 'debug-rerun',
    }),
  ];
}

interface Line {
  readonly label: string;
  readonly description?: string;
  readonly icon?: string;
  readonly tooltip?: vscode.MarkdownString;
  /** Text for screen readers, in place of label and description. */
  readonly spoken?: string;
  readonly contextValue?: string;
  readonly command?: vscode.Command;
  readonly elapsed?: (now: number) => string;
}

function detail(
  parent: ExecutionNode | DetailNode,
  id: string,
  line: Line,
  children?: () => Promise<DetailNode[]>,
): DetailNode {
  const item = new vscode.TreeItem(
    line.label,
    children === undefined ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Collapsed,
  );
  const execution = executionNodeOf(parent);
  item.id = `${execution.tracked.key}/${id}`;
  item.contextValue = line.contextValue ?? 'detail';
  if (line.description !== undefined) item.description = line.description;
  if (line.icon !== undefined) item.iconPath = new vscode.ThemeIcon(line.icon);
  if (line.tooltip !== undefined) item.tooltip = line.tooltip;
  if (line.spoken !== undefined) item.accessibilityInformation = { label: line.spoken };
  if (line.command !== undefined) item.command = line.command;
  let lines: Promise<DetailNode[]> | undefined;
  const forget = (error: unknown): never => {
    lines = undefined;
    throw error;
  };
  return {
    kind: 'detail',
    id: item.id,
    parent,
    item,
    ...(line.elapsed === undefined ? {} : { elapsed: line.elapsed }),
    // Computed once, because the editor requests the children again whenever the execution's row is redrawn.
    ...(children === undefined ? {} : { children: () => (lines ??= children().catch(forget)) }),
  };
}

function executionNodeOf(node: ExecutionNode | DetailNode): ExecutionNode {
  return node.kind === 'execution' ? node : executionNodeOf(node.parent);
}
