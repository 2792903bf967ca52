/** A message of a kernel. The content stays as it came: most of it is only passed on, and some of it is huge. */
export interface KernelMessage {
  readonly type: string;
  /** `header.date` as the kernel wrote it; undefined where it did not. */
  readonly date: string | undefined;
  /** Id of the request this belongs to; undefined for messages that belong to none. */
  readonly parentId: string | undefined;
  /** UTF-8 JSON. */
  readonly content: Buffer;
  readonly buffers: readonly Buffer[];
}

/** What a `status` message says: `busy`, `idle`, `starting`. There are two for each cell, and they hold nothing else. */
export function executionState({ content }: KernelMessage): string | undefined {
  return /"execution_state":\s*"(\w+)"/.exec(content.toString('latin1'))?.[1];
}
