import type { OutputDocument } from './execution-service';

/** The whole content of a document. */
export async function readAll(document: Pick<OutputDocument, 'read'>, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of document.read(signal)) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    : Buffer.concat(chunks);
}
