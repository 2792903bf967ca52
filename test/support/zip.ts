import { readFileSync } from 'node:fs';

/** The files of a .zip by name, with their uncompressed sizes in bytes. */
export function zipEntries(file: string): Map<string, number> {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const entries = new Map<string, number>();
  let at = bytes.readUInt32LE(end + 16);
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const start = at + 46;
    entries.set(bytes.toString('utf8', start, start + (name ?? 0)), bytes.readUInt32LE(at + 24));
    at = start + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}
