import * as z from 'zod/mini';
import type { TrackedExecution } from '../../tracking/execution-store';
import { durationOf, notebookNameOf, parseTime } from '../execution-facts';

/*
 * How the tree is arranged: what it is grouped and sorted by, and which executions it shows. Without the editor.
 */

export const GROUPINGS = ['state', 'notebook', 'template', 'none'] as const;
export const SORTINGS = ['newest', 'name', 'duration'] as const;

const FilterSchema = z.object({
  /** Each word must occur in the name, the template or the error; case does not matter. */
  text: z.string(),
  /** Groups of states; empty: all. */
  states: z.array(z.string()),
  /** Ids of services; empty: all. */
  services: z.array(z.string()),
});
export type Filter = z.infer<typeof FilterSchema>;

/** What the person chose; kept over a reload. */
export const ArrangementSchema = z.object({
  version: z.literal(1),
  grouping: z.enum(GROUPINGS),
  sorting: z.enum(SORTINGS),
  filter: FilterSchema,
});
export type Arrangement = z.infer<typeof ArrangementSchema>;
export type Grouping = Arrangement['grouping'];
export type Sorting = Arrangement['sorting'];

export const NO_FILTER: Filter = { text: '', states: [], services: [] };
export const DEFAULT_ARRANGEMENT: Arrangement = {
  version: 1,
  grouping: 'state',
  sorting: 'newest',
  filter: NO_FILTER,
};

/** Reads what was stored; what cannot be read is the default. */
export function parseArrangement(stored: unknown): Arrangement {
  const result = ArrangementSchema.safeParse(stored);
  return result.success ? result.data : DEFAULT_ARRANGEMENT;
}

export function isFiltering({ text, states, services }: Filter): boolean {
  return text.trim() !== '' || states.length > 0 || services.length > 0;
}

/** Whether the filter lets an execution through. `stateGroup` is the group its state belongs to. */
export function matches(filter: Filter, tracked: TrackedExecution, stateGroup: string): boolean {
  const { execution, service } = tracked;
  if (filter.states.length > 0 && !filter.states.includes(stateGroup)) return false;
  if (filter.services.length > 0 && !filter.services.includes(service.id)) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    notebookNameOf(execution),
    execution.displayName,
    execution.name,
    execution.runOptions?.templateName,
    execution.runStatus?.cell?.errorName,
    execution.runStatus?.cell?.errorValue?.slice(0, 1000),
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Where an execution stands among others, made once for each change so that sorting compares plain values. */
export interface SortKey {
  readonly text: string;
  readonly number: number;
  readonly created: number;
  readonly key: string;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export function sortKeyOf(sorting: Sorting, tracked: TrackedExecution, now: number): SortKey {
  const { execution, key } = tracked;
  return {
    text: sorting === 'name' ? notebookNameOf(execution) : '',
    number: sorting === 'duration' ? (durationOf(execution, now) ?? 0) : 0,
    created: parseTime(execution.createTime) ?? 0,
    key,
  };
}

/** Names from A, durations from the longest; among equals the newest first, and the order is always the same. */
export function compareKeys(one: SortKey, other: SortKey): number {
  return (
    (one.text === other.text ? 0 : collator.compare(one.text, other.text)) ||
    other.number - one.number ||
    other.created - one.created ||
    (one.key < other.key ? -1 : one.key > other.key ? 1 : 0)
  );
}
