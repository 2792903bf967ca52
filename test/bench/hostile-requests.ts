import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { notebook } from './notebooks';
import { PARENT } from './service-client';

/** A request as bytes, and the client's action after sending them. */
export interface Hostile {
  readonly text: Buffer | string;
  readonly then: 'wait' | 'leave' | 'stay';
}

/** Parts of hostile requests. */
export interface RequestParts {
  readonly port: number;
  readonly token: string;
  /** URIs of files, see {@link hostileFiles}. */
  readonly files: Readonly<Record<string, string>>;
}

const CREATE = `${PARENT}/executions?executionId=hostile`;

/** YAML and JSON that is deep, long, repetitive or malformed. */
const PARAMETERS: readonly (() => string)[] = [
  () => '? '.repeat(1000),
  () => `a: ${'['.repeat(5000)}`,
  () => '- '.repeat(2000),
  () => 'a: '.repeat(2000),
  () => lines(1000, (index) => `${' '.repeat(index)}a:`),
  () => lines(22_000, (index) => `k${String(index)}: 1`) + '\nk1: 2',
  () => `a:\n${'- 1\n'.repeat(250_000)}`,
  () => `a: ['${',,'.repeat(90_000)}`,
  () => `a: &a [${'1,'.repeat(9000)}1]\nb: [${'*a,'.repeat(900)}*a]`,
  () => `a: &a "${'x'.repeat(100_000)}"\nb:\n${'- *a\n'.repeat(900)}`,
  () => `{"if": 1, "a": [${'[],'.repeat(500_000)}[]]}`,
  () => `{"a": ${'['.repeat(100_000)}`,
  () => `a: 0x${'f'.repeat(500_000)}`,
  () => 'a: @\n'.repeat(20_000),
  () => `a: !x "${'\\'.repeat(10_001)}`,
  () => '\0\n'.repeat(2000),
];

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

/** Bodies that are not a request. */
const BODIES: readonly (() => string)[] = [
  () => '{',
  () => '"',
  () => '[]',
  () => 'null',
  () => '{"executionTemplate": ',
  () => '['.repeat(500_000),
  () => `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`,
  () => `{"${'x'.repeat(500_000)}": 1}`,
  () =>
    `{"executionTemplate": {"labels": {${Array.from({ length: 200_000 }, (_, i) => `"k${String(i)}":1`).join()}}}}`,
  () => `{"runOptions": {"environment": {"A": "${'x'.repeat(2_000_000)}"}}}`,
  () => `{"executionTemplate": {"parameters": "${'x'.repeat(7_000_000)}"}}`,
  () => '\ud800\0\xff{}',
];

const PATHS: readonly string[] = [
  '/',
  '//evil.example/',
  `${PARENT}/executions/..%2f..%2fetc`,
  `${PARENT}/executions?pageSize=-1`,
  `${PARENT}/executions?pageSize=999999999&pageToken=AAAA`,
  `${PARENT}/executions/${':'.repeat(5000)}`,
  `${PARENT}/executions/${'%'.repeat(3000)}`,
  `${PARENT}/operations/create-${'a'.repeat(5000)}`,
  `${PARENT}/executions/a:cancel:pin:unpin`,
  `/${'../'.repeat(3000)}`,
];

/** Files that a request can name as notebook or parameters file. @returns their URIs. */
export function hostileFiles(folder: string): Record<string, string> {
  const contents = {
    fine: notebook(['1']),
    nested: `{"nbformat": 4, "metadata": ${'['.repeat(200_000)}`,
    wide: `{"nbformat": 4, "metadata": {"a": [${'[],'.repeat(1_000_000)}[]]}}`,
    keys: `{"nbformat": 4, "metadata": {}, "cells": [${Array.from({ length: 20_000 }, (_, i) => `{"cell_type": "code", "u${String(i)}": 1}`).join()}, 1]}`,
    heading: '{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "heading", "level": 1000000000}, 1]}]}',
    text: 'x'.repeat(5_000_000),
  };
  const files: Record<string, string> = {
    endless: 'file:///proc/self/pagemap',
    device: 'file:///dev/zero',
    folder: pathToFileURL(folder).href,
  };
  for (const [name, content] of Object.entries(contents)) {
    const file = path.join(folder, `${name}.ipynb`);
    writeFileSync(file, content);
    files[name] = pathToFileURL(file).href;
  }
  return files;
}

/**
 * Creates hostile requests by number: the same each time, one in eight of them large. Large ones are created in advance,
 * so that they cost no time of a client in the same process.
 */
export function hostileRequests(parts: RequestParts): (number: number) => Hostile {
  const { port, token, files } = parts;
  const head = (method: string, target: string, more = ''): string =>
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${String(port)}\r\nAuthorization: Bearer ${token}\r\n${more}`;
  const post = (body: string): string =>
    `${head('POST', CREATE)}Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  const create = (template: Record<string, unknown>): string =>
    post(
      JSON.stringify({
        executionTemplate: { inputNotebookFile: files['fine'], kernelSpec: 'no such', ...template },
      }),
    );
  const large = [
    ...PARAMETERS.map((parameters) => create({ parameters: parameters() })),
    ...BODIES.map((body) => post(body())),
    ...Object.values(files).flatMap((file) => [
      create({ inputNotebookFile: file }),
      create({ paramsYamlFile: file }),
    ]),
  ].map((text) => Buffer.from(text));
  return (number) => {
    const random = randomOf(number);
    const then = random.of(['wait', 'wait', 'wait', 'wait', 'wait', 'wait', 'leave', 'stay'] as const);
    if (number % 8 === 0) return { text: random.of(large), then: then === 'stay' ? 'leave' : then };
    return random.of<() => Hostile>([
      () => ({
        text: `${head(random.of(['GET', 'POST', 'DELETE', 'PUT', 'BREW']), random.of(PATHS))}\r\n`,
        then,
      }),
      () => ({ text: create({ parameters: random.bytes(200) }), then }),
      () => ({ text: create({ [random.bytes(3)]: 1 }), then }),
      () => ({ text: post(random.bytes(300)), then }),
      () => ({ text: random.bytes(500), then }),
      () => ({ text: `${head('GET', PARENT, `X-Odd: ${'y'.repeat(random.below(20_000))}\r\n`)}\r\n`, then }),
      () => ({
        text: `${head('POST', CREATE)}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        then,
      }),
      () => ({ text: `${head('POST', CREATE)}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n`, then: 'stay' }),
      () => ({ text: `${head('POST', CREATE)}Content-Length: 100000\r\n\r\n{`, then: 'stay' }),
      () => ({ text: head('GET', PARENT), then: 'stay' }),
      () => ({ text: `GET ${PARENT} HTTP/1.1\r\nHost: evil.example\r\n\r\n`, then }),
      () => ({ text: `GET ${PARENT} HTTP/1.1\r\nHost: 127.0.0.1:${String(port)}\r\n\r\n`, then }),
      () => ({ text: '', then: 'stay' }),
    ])();
  };
}

interface Random {
  below(limit: number): number;
  of<T>(items: readonly T[]): T;
  bytes(longest: number): string;
}

/** Pseudo-random numbers (mulberry32) that are the same for the same seed. */
function randomOf(seed: number): Random {
  let state = seed * 2_654_435_761;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    of: (items) => items[below(items.length)] as (typeof items)[number],
    bytes: (longest) => String.fromCharCode(...Array.from({ length: below(longest) }, () => below(256))),
  };
}
