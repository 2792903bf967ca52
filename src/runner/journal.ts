import * as fs from 'node:fs';
import * as z from 'zod/mini';
import { openRegularFile } from '../system/small-file';
import { JournalledEventSchema, type RunEvent } from './run-event';

/*
 * A journal is a sequence of records. Each begins with a line of JSON: a JournalledEvent, or the head of a message,
 * whose content and buffers follow byte for byte, with a line break after them. Appending costs one write and no
 * serialisation of what may be large. A record that is not whole, because its writer was killed, ends the journal.
 */

const MessageHeadSchema = z.object({
  type: z.literal('message'),
  messageType: z.string(),
  parentId: z.string(),
  /** Bytes of the content and of each buffer. */
  sizes: z.array(z.number()),
});
const LINE_BREAK = Buffer.from('\n');
const HeadSchema = z.union([JournalledEventSchema, MessageHeadSchema]);

/** The part of node:fs that a journal is written with. */
export type JournalFileSystem = Pick<typeof fs, 'openSync' | 'writevSync' | 'closeSync' | 'fdatasync'>;

/**
 * Appends events to a journal. Once `append` has returned, the death of this process does not lose an output; when a cell
 * did what is written with the next output, or when this turn of the event loop is over: a cell has eight such events, and
 * each write takes time from the next cell.
 */
export class JournalWriter {
  private readonly file: number;
  /** Lines that are not written yet. */
  private waiting = '';
  private isClosed = false;

  /**
   * @param onFailure Called when what was to wait cannot be written.
   * @throws SystemError where the file cannot be created.
   */
  constructor(
    path: string,
    private readonly onFailure: (error: unknown) => void,
    private readonly fileSystem: JournalFileSystem = fs,
  ) {
    this.file = fileSystem.openSync(path, 'w', 0o600);
  }

  /** @throws SystemError where it cannot be written: no space left. */
  append(event: RunEvent): void {
    if (event.type !== 'message') {
      if (this.waiting === '') setImmediate(this.writeWaiting);
      this.waiting += `${JSON.stringify(event)}\n`;
      return;
    }
    const { type, parentId, content, buffers } = event.message;
    const parts = [content, ...buffers];
    const head: z.infer<typeof MessageHeadSchema> = {
      type: 'message',
      messageType: type,
      parentId: parentId ?? '',
      sizes: parts.map((part) => part.length),
    };
    const lines = `${this.waiting}${JSON.stringify(head)}\n`;
    this.waiting = '';
    this.write([Buffer.from(lines), ...parts, LINE_BREAK]);
  }

  private readonly writeWaiting = (): void => {
    if (this.waiting === '' || this.isClosed) return;
    const lines = this.waiting;
    this.waiting = '';
    try {
      this.write([Buffer.from(lines)]);
    } catch (error) {
      this.isClosed = true;
      this.onFailure(error);
    }
  };

  /** Resolves when what was appended so far outlasts the machine too. @throws (rejects) SystemError. */
  flush(): Promise<void> {
    this.writeWaiting();
    return new Promise((resolve, reject) => {
      this.fileSystem.fdatasync(this.file, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): void {
    this.writeWaiting();
    this.isClosed = true;
    this.fileSystem.closeSync(this.file);
  }

  private write(parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    let written = this.fileSystem.writevSync(this.file, parts);
    // The system may take less than it was given: at most 2 GiB at once, or what is left before a limit.
    while (written < length)
      written += this.fileSystem.writevSync(this.file, [Buffer.concat(parts).subarray(written)]);
  }
}

/** The whole records of a journal, in order; none where there is no journal. */
export function* readJournal(path: string): Generator<RunEvent> {
  let file: number;
  try {
    file = openRegularFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    const reader = new RecordReader(file);
    for (;;) {
      const line = reader.line();
      const head = line === undefined ? undefined : parseHead(line);
      if (!head) return;
      if (head.type !== 'message') {
        yield head;
        continue;
      }
      const parts: Buffer[] = [];
      for (const size of head.sizes) {
        const part = reader.bytes(size);
        if (!part) return;
        parts.push(part);
      }
      const [content, ...buffers] = parts;
      if (reader.bytes(1) === undefined || !content) return;
      yield {
        type: 'message',
        message: { type: head.messageType, date: undefined, parentId: head.parentId, content, buffers },
      };
    }
  } finally {
    fs.closeSync(file);
  }
}

function parseHead(line: string): z.infer<typeof HeadSchema> | undefined {
  try {
    return HeadSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Reads lines and counted bytes from a file, a piece at a time. */
class RecordReader {
  private buffer = Buffer.alloc(0);

  constructor(private readonly file: number) {}

  /** The next line without its end; undefined when there is none. */
  line(): string | undefined {
    for (let from = 0; ;) {
      const end = this.buffer.indexOf(0x0a, from);
      if (end >= 0) return this.take(end + 1).toString('utf8', 0, end);
      from = this.buffer.length;
      if (!this.more(1 << 16)) return undefined;
    }
  }

  /** The next `count` bytes; undefined when there are fewer. */
  bytes(count: number): Buffer | undefined {
    const missing = count - this.buffer.length;
    if (missing > 0 && !this.more(missing + (1 << 16))) return undefined;
    return this.buffer.length < count ? undefined : this.take(count);
  }

  private take(count: number): Buffer {
    const taken = this.buffer.subarray(0, count);
    this.buffer = this.buffer.subarray(count);
    return taken;
  }

  /** Reads up to `count` bytes more; false at the end of the file. */
  private more(count: number): boolean {
    const piece = Buffer.allocUnsafe(count);
    let read = 0;
    for (;;) {
      const now = fs.readSync(this.file, piece, read, count - read, null);
      read += now;
      if (now === 0 || read === count) break;
    }
    this.buffer = Buffer.concat([this.buffer, piece.subarray(0, read)]);
    return read > 0;
  }
}
