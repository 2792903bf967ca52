import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { KernelMessage } from '../../recording/kernel-message';

/*
 * The Jupyter wire protocol (jupyter-client documentation, "Messaging in Jupyter", protocol 5.x): a message is
 * [routing ids or topic …, "<IDS|MSG>", signature, header, parent header, metadata, content, buffers …].
 */

const DELIMITER = Buffer.from('<IDS|MSG>');
const PROTOCOL_VERSION = '5.4';

/** Encodes requests and decodes answers of one session. */
export class WireSession {
  private readonly id = randomUUID();
  private count = 0;

  /** @param key Secret of the HMAC signatures; empty if the transport itself restricts access. */
  constructor(private readonly key: string) {}

  /** Frames of a request, and the id that its answers name as their parent. */
  encode(type: string, content: unknown): { id: string; frames: (Buffer | string)[] } {
    const id = `${this.id}_${String(this.count++)}`;
    const header = JSON.stringify({
      msg_id: id,
      session: this.id,
      username: 'notebook-executions',
      date: new Date().toISOString(),
      msg_type: type,
      version: PROTOCOL_VERSION,
    });
    const body = [header, '{}', '{}', typeof content === 'string' ? content : JSON.stringify(content)];
    return { id, frames: [DELIMITER, this.sign(body), ...body] };
  }

  /** The message in these frames; undefined if they are not a message or have a wrong signature. */
  decode(frames: readonly Buffer[]): KernelMessage | undefined {
    const at = frames.findIndex((frame) => frame.equals(DELIMITER));
    if (at < 0) return undefined;
    const [signature, header, parent, metadata, content, ...buffers] = frames.slice(at + 1);
    if (!signature || !header || !parent || !metadata || !content) return undefined;
    if (this.key !== '') {
      const expected = Buffer.from(this.sign([header, parent, metadata, content]));
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return undefined;
    }
    try {
      const { msg_type: type, date } = JSON.parse(header.toString()) as Record<string, unknown>;
      const { msg_id: parentId } = JSON.parse(parent.toString()) as Record<string, unknown>;
      if (typeof type !== 'string' || !isTextOrAbsent(date) || !isTextOrAbsent(parentId)) return undefined;
      return { type, date, parentId, content, buffers };
    } catch {
      return undefined;
    }
  }

  private sign(parts: readonly (string | Buffer)[]): string {
    if (this.key === '') return '';
    const hmac = createHmac('sha256', this.key);
    for (const part of parts) hmac.update(part);
    return hmac.digest('hex');
  }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
