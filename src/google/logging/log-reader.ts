import { logging_v2 } from 'googleapis/build/src/apis/logging/v2';
import * as z from 'zod/mini';
import type { LogChunk } from '../../execution/execution-service';
import type { RequestSender } from '../requests/request-sender';

/** The fields of a LogEntry that this client reads (Cloud Logging API v2, discovery revision 20260911). */
const EntrySchema = z.object({
  timestamp: z._default(z.string(), ''),
  insertId: z._default(z.string(), ''),
  severity: z._default(z.string(), 'DEFAULT'),
  textPayload: z.optional(z.string()),
  jsonPayload: z.optional(z.looseObject({ message: z.optional(z.unknown()) })),
});
type Entry = z.infer<typeof EntrySchema>;

const PageSchema = z.object({
  entries: z._default(z.array(EntrySchema), []),
  nextPageToken: z.optional(z.string()),
});

/** Largest page of the API, and how many pages one read requests. */
const PAGE_SIZE = 1000;
const MAX_PAGES = 10;

/**
 * Entries may arrive out of order within a few seconds, so younger ones are left for the next read (as in gcloud's
 * `logs` library). Milliseconds.
 */
const UNSETTLED = 5000;

/** What a read requests. */
interface LogQuery {
  /** `projects/{project}` */
  readonly resource: string;
  /** In the Logging query language. */
  readonly filter: string;
  /** When the run was created (RFC 3339); older entries are not searched. */
  readonly since: string | undefined;
  /** Where the last read ended; empty for the beginning. */
  readonly from: string;
}

/** Reads the log of a job from Cloud Logging. */
export class LogReader {
  private readonly api: logging_v2.Logging;

  /** @param endpoint `https://logging.googleapis.com/` */
  constructor(
    private readonly sender: RequestSender,
    endpoint: string,
    private readonly project: string,
  ) {
    this.api = new logging_v2.Logging({ rootUrl: endpoint });
  }

  /**
   * The lines that are new since the last read, oldest first; at most 10,000.
   * @throws ServiceError `permissionDenied` {permission, role, url}
   */
  async read({ resource, filter, since, from }: LogQuery, signal?: AbortSignal): Promise<LogChunk> {
    const settled = new Date(this.sender.clock.now() - UNSETTLED).toISOString();
    const start = from === '' ? (since === undefined ? [] : [`timestamp>="${since}"`]) : [after(from)];
    const requestBody = {
      resourceNames: [resource],
      filter: [filter, ...start, `timestamp<"${settled}"`].join(' AND '),
      orderBy: 'timestamp asc',
      pageSize: PAGE_SIZE,
    };
    const entries: Entry[] = [];
    let token: string | undefined;
    // A page can be empty although more follow.
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const pageToken = token === undefined ? {} : { pageToken: token };
      const page = await this.sender.send(
        PageSchema,
        (options) => this.api.entries.list({ requestBody: { ...requestBody, ...pageToken } }, options),
        { project: this.project, permission: 'logging.logEntries.list', role: 'Logs Viewer' },
        signal,
      );
      entries.push(...page.entries);
      token = page.nextPageToken;
      if (token === undefined || token === '') break;
    }
    const last = entries.at(-1);
    return {
      text: entries.map((entry) => `${lineOf(entry)}\n`).join(''),
      next: last === undefined ? from : `${last.timestamp} ${last.insertId}`,
    };
  }
}

/** Restricts entries to those after a position: entries of the same time are in the order of their ids. */
function after(position: string): string {
  const [time = '', id = ''] = position.split(' ');
  return `(timestamp>"${time}" OR (timestamp="${time}" AND insertId>${JSON.stringify(id)}))`;
}

/** `2026-01-31T12:00:00.000Z ERROR message` */
function lineOf({ timestamp, severity, textPayload, jsonPayload }: Entry): string {
  const level = severity === 'DEFAULT' ? '' : `${severity} `;
  return `${timestamp.replace(/(\.\d{3})\d+Z$/, '$1Z')} ${level}${textPayload ?? messageOf(jsonPayload)}`.trimEnd();
}

function messageOf(payload: Entry['jsonPayload']): string {
  const { message } = payload ?? {};
  return typeof message === 'string' ? message : payload === undefined ? '' : JSON.stringify(payload);
}
