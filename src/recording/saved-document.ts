import * as fs from 'node:fs';
import { openRegularFile } from '../system/small-file';

/*
 * A saved document may be too large to be read at once, because of its outputs. It is indented, and its strings contain
 * no line breaks, so the beginning of a line shows what it belongs to.
 */

const MARK = /\n(?: "cells": \[(?=\n)| \]| {3}"outputs": \[(?=\n)| {3}\])/g;
const LONGEST_MARK = '\n   "outputs": [\n'.length;

type Place = 'aroundCells' | 'inCells' | 'inOutputs';

/** The place after a mark, by the place before it. Other marks mean nothing: metadata may contain `outputs`, too. */
const NEXT: Readonly<Record<Place, Readonly<Partial<Record<string, Place>>>>> = {
  aroundCells: { '\n "cells": [': 'inCells' },
  inCells: { '\n   "outputs": [': 'inOutputs', '\n ]': 'aroundCells' },
  inOutputs: { '\n   ]': 'inCells' },
};

/**
 * Reads a notebook that a DocumentWriter wrote, without its outputs.
 * @param atOnce Bytes to read at a time.
 * @throws like {@link openRegularFile}
 */
export async function readWithoutOutputs(file: string, atOnce = 1 << 20): Promise<Buffer> {
  const kept: Buffer[] = [];
  let place: Place = 'aroundCells';
  let rest: Buffer = Buffer.alloc(0);
  const source = fs.createReadStream(file, { fd: openRegularFile(file), highWaterMark: atOnce });
  for await (const piece of source) {
    const bytes = Buffer.concat([rest, piece as Buffer]);
    let start = 0;
    const passUntil = (end: number): void => {
      if (place !== 'inOutputs') kept.push(bytes.subarray(start, end));
      start = end;
    };
    for (const { 0: mark, index } of bytes.toString('latin1').matchAll(MARK)) {
      const next: Place | undefined = NEXT[place][mark];
      if (next === undefined) continue;
      passUntil(place === 'inOutputs' ? index : index + mark.length);
      place = next;
      // The mark at the end of the outputs is kept.
      passUntil(index + mark.length);
    }
    // A mark may continue in the next piece.
    passUntil(Math.max(start, bytes.length - LONGEST_MARK));
    rest = bytes.subarray(start);
  }
  return Buffer.concat([...kept, rest]);
}
