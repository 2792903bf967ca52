import * as z from 'zod/mini';
import { ApiDouble, ApiError } from './api-double';
import type { CheckedCall } from './discovery';
import type { TokenDouble } from './token-double';

/** An entry of the log. */
export interface LogEntry {
  readonly logName: string;
  readonly timestamp: string;
  readonly insertId: string;
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
  readonly severity?: string;
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly protoPayload?: Readonly<Record<string, unknown>>;
}

const RequestSchema = z.object({
  resourceNames: z._default(z.array(z.string()), []),
  filter: z._default(z.string(), ''),
  orderBy: z._default(z.string(), 'timestamp asc'),
  pageSize: z._default(z.number(), 50),
  pageToken: z.optional(z.string()),
});

/**
 * Cloud Logging: `entries.list`, with those parts of the query language that this product sends (Cloud Logging
 * documentation, "Logging query language"). Anything else is refused.
 */
export class LoggingDouble extends ApiDouble {
  readonly entries: LogEntry[] = [];
  /** The user lacks the role Logs Viewer; with this message. */
  denied: string | undefined;
  /** Maximum entries of a page, below what was requested. */
  mostOfPage = 1000;
  /** How many empty pages come first: a search that took too long is continued (`nextPageToken`, discovery document). */
  emptyPages = 0;
  private sequence = 0;

  constructor(tokens: TokenDouble) {
    super('logging.v2', tokens);
  }

  /** Writes a line. @param time milliseconds since the epoch; now when absent */
  write(
    resource: LogEntry['resource'],
    payload: Pick<LogEntry, 'textPayload' | 'jsonPayload' | 'protoPayload' | 'severity'>,
    time = Date.now(),
    logName = 'projects/my-project/logs/notebook',
  ): void {
    const insertId = `entry${String((this.sequence += 1)).padStart(6, '0')}`;
    this.entries.push({ logName, timestamp: new Date(time).toISOString(), insertId, resource, ...payload });
  }

  protected handle(call: CheckedCall, body: unknown): unknown {
    if (call.id !== 'logging.entries.list') throw new ApiError('UNIMPLEMENTED', call.id);
    if (this.denied !== undefined) throw new ApiError('PERMISSION_DENIED', this.denied);
    const { resourceNames, filter, orderBy, pageSize, pageToken } = RequestSchema.parse(body);
    const refuse = (message: string): never => {
      throw new ApiError('INVALID_ARGUMENT', message);
    };
    // Required, and the deprecated `projectIds` in its place is not sent (discovery document).
    if (resourceNames.length !== 1 || resourceNames[0] !== 'projects/my-project') refuse('resource_names');
    if (orderBy !== 'timestamp asc') refuse('order_by');
    // "Quotas and limits" of Cloud Logging: at most 1000 entries per page.
    if (pageSize < 1 || pageSize > 1000) refuse('page_size');
    const matches = matcherOf(filter) ?? refuse(`Unparseable filter: ${filter}`);
    const found = this.entries.filter(matches).sort(inOrder);
    const start = Number(pageToken ?? 0);
    if (this.emptyPages > 0) {
      this.emptyPages -= 1;
      return { nextPageToken: String(start) };
    }
    const end = start + Math.min(pageSize, this.mostOfPage);
    return {
      entries: found.slice(start, end),
      ...(end < found.length ? { nextPageToken: String(end) } : {}),
    };
  }
}

function inOrder(a: LogEntry, b: LogEntry): number {
  return a.timestamp.localeCompare(b.timestamp) || a.insertId.localeCompare(b.insertId);
}

type Matcher = (entry: LogEntry) => boolean;

/** The meaning of each restriction that is sent. */
const RESTRICTIONS: readonly [RegExp, (value: string, ...more: string[]) => Matcher][] = [
  [/^resource\.type="([^"]*)"$/, (type) => (entry) => entry.resource.type === type],
  [/^resource\.labels\.job_id="([^"]*)"$/, (id) => (entry) => entry.resource.labels['job_id'] === id],
  // A text in backticks is found as it is, in any field.
  [/^SEARCH\("`([^`"]+)`"\)$/, (text) => (entry) => JSON.stringify(entry).includes(text)],
  [/^NOT logName:"([^"]*)"$/, (text) => (entry) => !entry.logName.includes(text)],
  [/^timestamp>="([^"]*)"$/, (time) => (entry) => Date.parse(entry.timestamp) >= Date.parse(time)],
  [/^timestamp<"([^"]*)"$/, (time) => (entry) => Date.parse(entry.timestamp) < Date.parse(time)],
  [
    /^\(timestamp>"([^"]*)" OR \(timestamp="([^"]*)" AND insertId>"([^"]*)"\)\)$/,
    (time, same, id = '') =>
      (entry) =>
        Date.parse(entry.timestamp) > Date.parse(time) || (entry.timestamp === same && entry.insertId > id),
  ],
];

/** Undefined if a part of the filter is not known. */
function matcherOf(filter: string): Matcher | undefined {
  const matchers: Matcher[] = [];
  for (const part of filter.split(/ AND (?![^(]*\)\))/)) {
    const known = RESTRICTIONS.flatMap(([pattern, meaning]) => {
      const [, value, ...more] = pattern.exec(part) ?? [];
      return value === undefined ? [] : [meaning(value, ...more)];
    })[0];
    if (known === undefined) return undefined;
    matchers.push(known);
  }
  return (entry) => matchers.every((matches) => matches(entry));
}
