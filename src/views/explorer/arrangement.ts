import type { TrackedExecution } from '../../tracking/execution-store';
import { isActive } from '../../execution/states';
import { durationOf, isWaiting, notebookNameOf, parseTime } from '../../wording/execution-facts';

/*
 * How the tree is arranged: grouping, sorting and filter. Does not depend on the editor.
 */

export const GROUPINGS = ['state', 'day', 'notebook', 'template', 'none'] as const;
export const SORTINGS = ['newest', 'name', 'duration'] as const;

export type Grouping = (typeof GROUPINGS)[number];
export type Sorting = (typeof SORTINGS)[number];

export interface Filter {
  /** Each word must occur in the name, the template or the error. Case-insensitive. */
  readonly text: string;
  /** Groups of states; empty: all. */
  readonly states: readonly string[];
  /** Ids of services; empty: all. */
  readonly services: readonly string[];
}

/** The user's choices; kept over a reload. */
export interface Arrangement {
  readonly version: 1;
  readonly grouping: Grouping;
  readonly sorting: Sorting;
  readonly filter: Filter;
}

export const NO_FILTER: Filter = { text: '', states: [], services: [] };
export const DEFAULT_ARRANGEMENT: Arrangement = {
  version: 1,
  grouping: 'state',
  sorting: 'newest',
  filter: NO_FILTER,
};

/** Reads a stored arrangement. Invalid parts are replaced by their defaults. */
export function parseArrangement(stored: unknown): Arrangement {
  const { version, filter, ...rest } = fieldsOf(stored);
  const { text, states, services } = fieldsOf(filter);
  const grouping = GROUPINGS.find((each) => each === rest['grouping']);
  const sorting = SORTINGS.find((each) => each === rest['sorting']);
  return version === 1 &&
    grouping !== undefined &&
    sorting !== undefined &&
    typeof text === 'string' &&
    isTexts(states) &&
    isTexts(services)
    ? { version, grouping, sorting, filter: { text, states, services } }
    : DEFAULT_ARRANGEMENT;
}

function fieldsOf(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

export function isFiltering({ text, states, services }: Filter): boolean {
  return text.trim() !== '' || states.length > 0 || services.length > 0;
}

/**
 * Whether an execution matches the filter.
 * @param stateGroup the group of its state.
 * @param template displayed name of its template.
 */
export function matches(
  filter: Filter,
  tracked: TrackedExecution,
  stateGroup: string,
  template: string,
): boolean {
  const { execution, service } = tracked;
  if (filter.states.length > 0 && !filter.states.includes(stateGroup)) return false;
  if (filter.services.length > 0 && !filter.services.includes(service.id)) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    notebookNameOf(execution),
    execution.displayName,
    execution.name,
    template,
    execution.runStatus?.cell?.errorName,
    execution.runStatus?.cell?.errorValue?.slice(0, 1000),
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Sort position of an execution. Computed once per change, so that sorting compares plain values. */
export interface SortKey {
  readonly text: string;
  readonly number: number;
  /** 0 if running, 1 if waiting, otherwise 2. */
  readonly rank: number;
  /** The larger value comes first. */
  readonly created: number;
  readonly key: string;
}

let collator: Intl.Collator | undefined;

function compareNames(one: string, other: string): number {
  // Created on the first comparison of names: it is slow, and most windows never compare names.
  collator ??= new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  return collator.compare(one, other);
}

export function sortKeyOf(sorting: Sorting, tracked: TrackedExecution, now: number): SortKey {
  const { execution, key } = tracked;
  const created = parseTime(execution.createTime) ?? 0;
  const waits = sorting === 'newest' && isWaiting(execution.state);
  return {
    text: sorting === 'name' ? notebookNameOf(execution) : '',
    number: sorting === 'duration' ? (durationOf(execution, now) ?? 0) : 0,
    rank: sorting !== 'newest' ? 0 : waits ? 1 : isActive(execution.state) ? 0 : 2,
    created: waits ? -created : created,
    key,
  };
}

/**
 * Order of rows: by name from A, or by duration from the longest. Otherwise running ones come first, then waiting ones
 * in the order in which they will run, then the others from the newest. The order is deterministic.
 */
export function compareKeys(one: SortKey, other: SortKey): number {
  return (
    (one.text === other.text ? 0 : compareNames(one.text, other.text)) ||
    other.number - one.number ||
    one.rank - other.rank ||
    other.created - one.created ||
    (one.key < other.key ? -1 : one.key > other.key ? 1 : 0)
  );
}
