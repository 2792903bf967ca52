import * as fs from 'node:fs';
import * as z from 'zod/mini';
import { openRegularFile } from '../system/small-file';
import { JournalledEventSchema, type RunEvent } from './run-event';

/*
 * A journal is a sequence of records. Each begins with a line of JSON: a JournalledEvent, or the head of a message,
 * whose content and buffers follow as bytes, with a line break after them. Appending takes one write, and large parts
 * are not serialized. An incomplete record, because its writer was killed or the disk damaged it, is skipped: reading
 * continues with the next line that is the head of a complete record.
 */

const MessageHeadSchema = z.object({
  type: z.literal('message'),
  messageType: z.string(),
  parentId: z.string(),
  /** Bytes of the content and of each buffer. */
  sizes: z.array(z.int().check(z.nonnegative())),
});
const LINE_BREAK = Buffer.from('\n');
const OPENING_BRACE = 0x7b;
/** Bytes to read ahead. */
const PIECE = 1 << 16;
const HeadSchema = z.union([JournalledEventSchema, MessageHeadSchema]);

/** The part of node:fs that writes a journal. */
export type JournalFileSystem = Pick<typeof fs, 'openSync' | 'writevSync' | 'closeSync' | 'fdatasync'>;

/**
 * Appends events to a journal. Once `append` has returned, a message survives the death of this process. Other events
 * are written with the next message, or at the end of this turn of the event loop: a cell has eight of them, and each
 * write delays the next cell.
 */
export class JournalWriter {
  private readonly file: number;
  /** Lines that are not written yet. */
  private pending = '';
  private isClosed = false;

  /**
   * @param onFailure Called when delayed events cannot be written.
   * @throws SystemError if the file cannot be created.
   */
  constructor(
    path: string,
    private readonly onFailure: (error: unknown) => void,
    private readonly fileSystem: JournalFileSystem = fs,
  ) {
    this.file = fileSystem.openSync(path, 'w', 0o600);
  }

  /** Appends an event. @throws SystemError if it cannot be written, for example because the disk is full. */
  append(event: RunEvent): void {
    if (event.type !== 'message') {
      if (this.pending === '') setImmediate(this.writePending);
      this.pending += `${JSON.stringify(event)}\n`;
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
    const lines = `${this.pending}${JSON.stringify(head)}\n`;
    this.pending = '';
    this.write([Buffer.from(lines), ...parts, LINE_BREAK]);
  }

  private readonly writePending = (): void => {
    if (this.pending === '' || this.isClosed) return;
    const lines = this.pending;
    this.pending = '';
    try {
      this.write([Buffer.from(lines)]);
    } catch (error) {
      this.isClosed = true;
      this.onFailure(error);
    }
  };

  /** Resolves when everything appended so far also survives a power cut. @throws (rejects) SystemError. */
  flush(): Promise<void> {
    this.writePending();
    return new Promise((resolve, reject) => {
      this.fileSystem.fdatasync(this.file, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): void {
    this.writePending();
    this.isClosed = true;
    this.fileSystem.closeSync(this.file);
  }

  private write(parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    let written = this.fileSystem.writevSync(this.file, parts);
    // The system may write less than requested: at most 2 GiB at once, or what is left before a limit.
    while (written < length)
      written += this.fileSystem.writevSync(this.file, [Buffer.concat(parts).subarray(written)]);
  }
}

/** A longer line, in bytes, is not a head: parameters are the longest part of one. */
const MAX_LINE = 1 << 28;

/**
 * The complete records of a journal, in order; none if there is no journal.
 * @param onDamage Called when a record was skipped and another one follows.
 */
export function* readJournal(path: string, onDamage: () => void = () => undefined): Generator<RunEvent> {
  let file: number;
  try {
    file = openRegularFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    const reader = new RecordReader(file);
    let isDamaged = false;
    for (;;) {
      const line = reader.line();
      if (line === undefined) return;
      const { position } = reader;
      const event = readEvent(line, reader);
      if (event === undefined) {
        isDamaged = true;
        reader.goTo(position);
        continue;
      }
      if (isDamaged) onDamage();
      isDamaged = false;
      yield event;
    }
  } finally {
    fs.closeSync(file);
  }
}

/** The event whose head is this line; undefined if it is not a head, or if its record is incomplete. */
function readEvent(line: Buffer, reader: RecordReader): RunEvent | undefined {
  const head = parseHead(line);
  if (head?.type !== 'message') return head;
  const parts: Buffer[] = [];
  for (const size of head.sizes) {
    const part = reader.bytes(size);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const [content, ...buffers] = parts;
  if (content === undefined || reader.bytes(1)?.equals(LINE_BREAK) !== true) return undefined;
  return {
    type: 'message',
    message: { type: head.messageType, date: undefined, parentId: head.parentId, content, buffers },
  };
}

function parseHead(line: Buffer): z.infer<typeof HeadSchema> | undefined {
  if (line[0] !== OPENING_BRACE) return undefined;
  try {
    return HeadSchema.parse(JSON.parse(line.toString()));
  } catch {
    return undefined;
  }
}

/** Reads lines and counted bytes from a file, a piece at a time. */
class RecordReader {
  private buffer: Buffer = Buffer.alloc(0);
  /** Position in the file of the next byte to return. */
  position = 0;

  constructor(private readonly file: number) {}

  goTo(position: number): void {
    this.buffer = Buffer.alloc(0);
    this.position = position;
  }

  /** The next line without its line break; undefined if there is none. */
  line(): Buffer | undefined {
    for (let from = 0; ;) {
      const end = this.buffer.indexOf(LINE_BREAK, from);
      if (end >= 0) return this.take(end + 1).subarray(0, end);
      from = this.buffer.length;
      if (from > MAX_LINE || !this.more(Math.max(PIECE, from))) return undefined;
    }
  }

  /** The next `count` bytes; undefined if there are fewer. */
  bytes(count: number): Buffer | undefined {
    const missing = count - this.buffer.length;
    // A damaged size may be any number.
    if (missing > 0 && this.position + count > fs.fstatSync(this.file).size) return undefined;
    if (missing > 0) this.more(missing + PIECE);
    return this.buffer.length < count ? undefined : this.take(count);
  }

  private take(count: number): Buffer {
    const taken = this.buffer.subarray(0, count);
    this.buffer = this.buffer.subarray(count);
    this.position += count;
    return taken;
  }

  /** Reads up to `count` more bytes; false at the end of the file. */
  private more(count: number): boolean {
    const piece = Buffer.allocUnsafe(count);
    const start = this.position + this.buffer.length;
    let read = 0;
    for (;;) {
      const now = fs.readSync(this.file, piece, read, count - read, start + read);
      read += now;
      if (now === 0 || read === count) break;
    }
    this.buffer = Buffer.concat([this.buffer, piece.subarray(0, read)]);
    return read > 0;
  }
}
