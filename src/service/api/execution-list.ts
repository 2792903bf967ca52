import { STATE_NUMBERS } from '../../execution/enumerations';
import type { Execution } from '../../execution/execution';
import { executionIdOf, fileNameOf } from '../../execution/execution-name';
import { PARENT } from '../../protocol/service-paths';
import type { Entry } from '../executions/entry';
import type { ExecutionIndex, Page } from '../executions/execution-index';
import { present, presentInList } from '../executions/record';
import { filterOf, type FilterFields } from './filter';
import { listPage, type ListQuery } from './list-page';
import { parseOrderBy } from './order-by';

/** An execution in memory, and as `get` would present it. */
interface Item {
  readonly entry: Entry;
  readonly execution: Execution;
}

/**
 * Fields of `filter`. A value alone is searched in what users see of an execution: the notebook's and the template's
 * name, the id, the description, and the error.
 */
const FILTER: FilterFields<Execution> = {
  fields: {
    name: { type: 'text', of: ({ name }) => name },
    displayName: { type: 'text', of: ({ displayName }) => displayName },
    description: { type: 'text', of: ({ description }) => description },
    state: { type: 'enum', values: STATE_NUMBERS, of: ({ state }) => state },
    createTime: { type: 'time', of: ({ createTime }) => createTime },
    updateTime: { type: 'time', of: ({ updateTime }) => updateTime },
    labels: { type: 'map', of: ({ executionTemplate }) => executionTemplate?.labels },
    'executionTemplate.labels': { type: 'map', of: ({ executionTemplate }) => executionTemplate?.labels },
    source: { type: 'text', of: ({ runOptions }) => runOptions?.source },
    'runOptions.source': { type: 'text', of: ({ runOptions }) => runOptions?.source },
    template: { type: 'text', of: ({ runOptions }) => runOptions?.templateName },
    'runOptions.templateName': { type: 'text', of: ({ runOptions }) => runOptions?.templateName },
    scheduleId: { type: 'text', of: ({ runStatus }) => executionIdOf(runStatus?.schedule?.name ?? '') },
  },
  texts: ({ name, displayName, description, runOptions, runStatus }) => [
    executionIdOf(name),
    displayName,
    description,
    fileNameOf(runOptions?.source ?? ''),
    runOptions?.templateName,
    runStatus?.cell?.errorName,
    runStatus?.cell?.errorValue?.slice(0, 1000),
  ],
};

/** What precedes the id in the name of a schedule. */
const SCHEDULES = `${PARENT}/schedules/`;

/** Fields of `orderBy`. Times all have the same format, so that their text has the order of time. */
const ORDER = {
  name: ({ execution }: Item) => execution.name,
  displayName: ({ execution }: Item) => execution.displayName ?? '',
  state: ({ execution }: Item) => execution.state,
  createTime: ({ execution }: Item) => execution.createTime ?? '',
  updateTime: ({ execution }: Item) => execution.updateTime ?? '',
} as const;

/**
 * Lists executions; newest first unless ordered otherwise.
 * @param signal aborts it when the client disconnects.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid` (`filter`, `orderBy`, `pageToken`)
 */
export async function listExecutions(
  index: ExecutionIndex,
  query: ListQuery,
  signal: AbortSignal,
): Promise<Page> {
  const keys = parseOrderBy<Item>(query.orderBy, ORDER);
  if (keys.length === 0) keys.push({ of: ORDER.createTime, descending: true });
  const [first, second] = keys;
  const isSorted = first?.of === ORDER.createTime && first.descending && second === undefined;
  // What every window asks for, at least once a second.
  if (query.filter.trim() === '' && isSorted) return index.page(query.pageSize, query.pageToken);

  // A schedule may be given by its full name.
  const matches = filterOf(query.filter.replaceAll(SCHEDULES, ''), FILTER);
  const { items: executions, nextPageToken } = await listPage<Item, Execution>(
    {
      items: newestFirst(index),
      matches: ({ execution }) => matches(execution),
      // Executions that are equal otherwise have the order of their names, in the direction of the last key.
      order: [...keys, { of: ORDER.name, descending: keys.at(-1)?.descending ?? false }],
      isSorted,
      present: ({ entry: { record, status } }) =>
        index.get(record.id) === undefined ? undefined : presentInList(record, status),
    },
    query,
    signal,
  );
  return nextPageToken === undefined ? { executions } : { executions, nextPageToken };
}

/** The executions at the time of the call; each is presented when its turn comes. */
function* newestFirst(index: ExecutionIndex): Generator<Item> {
  for (const entry of [...index].reverse()) yield { entry, execution: present(entry.record, entry.status) };
}
