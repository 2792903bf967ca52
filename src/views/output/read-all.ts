import type { OutputDocument } from '../../execution/execution-service';

/** The whole content at once. */
export async function readAll(document: OutputDocument, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of document.read(signal)) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
