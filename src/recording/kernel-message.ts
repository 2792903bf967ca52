/** A message from a kernel. The content is not parsed: most of it is only passed on, and some of it is huge. */
export interface KernelMessage {
  readonly type: string;
  /** `header.date` as the kernel wrote it; undefined if it wrote none. */
  readonly date: string | undefined;
  /** Id of the request that the message belongs to; undefined if it belongs to none. */
  readonly parentId: string | undefined;
  /** UTF-8 JSON. */
  readonly content: Buffer;
  readonly buffers: readonly Buffer[];
}

/** The state in a `status` message: `busy`, `idle`, `starting`. It contains nothing else, so it is not parsed. */
export function executionState({ content }: KernelMessage): string | undefined {
  return /"execution_state":\s*"(\w+)"/.exec(content.toString('latin1'))?.[1];
}
