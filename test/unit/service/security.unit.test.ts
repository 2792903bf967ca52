import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { PARENT, temporaryFolder, TestService } from './support';

describe('The embedded service refuses requests', () => {
  let folder: string;
  let service: TestService;
  before(async () => {
    folder = temporaryFolder();
    service = await TestService.start(folder);
  });

  it('without its token, on no route', async () => {
    for (const authorization of [
      '',
      'Bearer realm="notebook-executions"',
      'Bearer ',
      'Bearer x',
      `Basic ${service.token}`,
      `Bearer ${service.token}x`,
      `Bearer ${service.token.slice(1)}`,
    ]) {
      for (const [method, target] of [
        ['GET', PARENT],
        ['GET', `${PARENT}/executions`],
        ['POST', `${PARENT}/executions?executionId=a`],
        ['DELETE', `${PARENT}/executions/a`],
        ['POST', `${PARENT}:stop`],
        ['GET', 'nowhere'],
      ] as const) {
        const { code, body, headers } = await service.request(method, target, undefined, { authorization });
        assert.equal(code, 401, `${authorization} ${target}`);
        assert.equal((body['error'] as { status: string }).status, 'UNAUTHENTICATED');
        assert.equal(headers['www-authenticate'], 'Bearer realm="notebook-executions"');
      }
    }
  });

  it('when the Host header is not loopback, as after DNS rebinding', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${service.endpoint.port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1.evil.example:${service.endpoint.port}`,
    ])
      assert.equal((await service.request('GET', PARENT, undefined, { host })).code, 403, host);
    for (const host of ['localhost', '[::1]', 'LOCALHOST']) {
      assert.equal(
        (await service.request('GET', PARENT, undefined, { host: `${host}:${service.endpoint.port}` })).code,
        200,
      );
    }
  });

  it('from other origins: no answer allows a page to read it', async () => {
    const { headers } = await service.request('GET', PARENT, undefined, { origin: 'https://evil.example' });
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  });

  it('from other network interfaces, and other users cannot read its files', async () => {
    assert.equal(service.endpoint.hostname, '127.0.0.1');
    const others = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
    const addresses = others.filter(({ internal }) => !internal).map(({ address }) => address);
    // On Linux all of 127.0.0.0/8 is this machine: a server on every interface is reachable there too.
    if (process.platform === 'linux') addresses.push('127.0.0.2');
    for (const address of addresses) {
      const socket = net.connect({ port: Number(service.endpoint.port), host: address, timeout: 5000 });
      const reached = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => {
          resolve(true);
        });
        for (const event of ['error', 'timeout']) {
          socket.once(event, () => {
            resolve(false);
          });
        }
      });
      socket.destroy();
      assert.ok(!reached, address);
    }
    const data = path.join(folder, 'data');
    for (const entry of fs.readdirSync(data, { recursive: true, withFileTypes: true })) {
      const { mode } = fs.statSync(path.join(entry.parentPath, entry.name));
      assert.equal(mode & 0o077, 0, entry.name);
    }
    assert.equal(fs.statSync(data).mode & 0o777, 0o700);
  });

  it('with the token of its last start, which is in no log, argument or runner', async () => {
    await service.create('look', 'wait');
    await service.running('look');
    const runner = fs.readFileSync(service.file('look', 'pid'), 'utf8');
    for (const pid of [runner, String(service.process.pid)]) {
      for (const file of ['cmdline', 'environ'])
        assert.ok(!fs.readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(service.token));
    }
    service.go('look');
    await service.ended('look');
    assert.ok(!service.stderr.join('').includes(service.token));
    const former = service.token;
    const exit = once(service.process, 'exit');
    assert.equal((await service.request('POST', `${PARENT}:stop`)).code, 200);
    await exit;
    service = await TestService.start(folder);
    assert.notEqual(service.token, former);
    assert.equal(
      (await service.request('GET', PARENT, undefined, { authorization: `Bearer ${former}` })).code,
      401,
    );
  });

  it('that are too large, and keeps running', async () => {
    const head = (id: string): string =>
      `POST /${PARENT}/executions?executionId=${id} HTTP/1.1\r\nHost: 127.0.0.1:${service.endpoint.port}\r\n` +
      `Authorization: Bearer ${service.token}\r\n`;
    // With a Content-Length it is refused before the body is sent.
    const announced = await raw(service, `${head('a')}Content-Length: 9000000\r\n\r\n`, false);
    assert.match(announced, /^HTTP\/1\.1 400 [^]*requestTooLarge/);
    // Without one, as soon as it is too large; a client that is still sending may not receive the answer.
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
    const answer = await raw(
      service,
      `${head('a')}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(9)}`,
      false,
    );
    assert.match(answer, /^(?:HTTP\/1\.1 400 [^]*requestTooLarge[^]*)?$/);
    const headers = await service
      .request('GET', PARENT, undefined, { 'x-large': 'x'.repeat(20_000) })
      .catch(() => undefined);
    if (headers !== undefined) assert.ok(headers.code === 400 || headers.code === 431);
    assert.equal((await service.request('GET', PARENT)).code, 200);
  });

  it('that are malformed: 5,000 of them without a crash, a 5xx or a hang', async () => {
    const codes = new Map<string, number>();
    const batch = 50;
    for (let done = 0; done < 5000; done += batch) {
      const answers = await Promise.all(
        Array.from({ length: batch }, (_, index) => raw(service, malformed(service, done + index))),
      );
      for (const answer of answers) {
        const code = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'closed';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }
    const bad = [...codes.keys()].filter((code) => code.startsWith('5') || code.startsWith('2'));
    assert.deepEqual(bad, [], JSON.stringify([...codes]));
    assert.ok(
      (codes.get('400') ?? 0) > 500 && (codes.get('404') ?? 0) > 500 && (codes.get('401') ?? 0) > 200,
      JSON.stringify([...codes]),
    );
    assert.equal((await service.request('GET', PARENT)).code, 200);
    assert.equal(service.process.exitCode, null);
    assert.doesNotMatch(service.stderr.join(''), /Error/);
  }).timeout(300_000);
});

/** A pseudo-random number below `limit`, the same each run. */
let seed = 42;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed % limit;
}
function pick<T>(items: readonly T[]): T {
  return items[below(items.length)] as T;
}

const MALFORMED_PARTS = [
  '',
  '\0',
  '../../etc/passwd',
  '%00',
  '%ff%fe',
  'ü',
  'x'.repeat(5000),
  '-1',
  '[]',
  '{}',
  'null',
  '💥',
  "';--",
  '${x}',
  '__proto__',
  'constructor',
];

/** A malformed request: in its HTTP, path, query, token or body. */
function malformed(service: TestService, index: number): string | Buffer {
  const host = `127.0.0.1:${service.endpoint.port}`;
  const head = (method: string, target: string, more = ''): string =>
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${service.token}\r\nConnection: close\r\n${more}`;
  const body = (method: string, target: string, text: string): string =>
    `${head(method, target)}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  const value = (): unknown =>
    pick<unknown>([null, 0, -1, 1e308, true, '', [], {}, [[]], { a: {} }, ...MALFORMED_PARTS]);
  switch (index % 10) {
    case 0:
      return randomBytes(1 + below(2000));
    case 1:
      return `${head(pick(['GET', 'POST', 'DELETE']), `/${encodeURI(pick(MALFORMED_PARTS)).replaceAll('%00', '%2500')}/${below(9)}`)}\r\n`;
    case 2:
      return `${head('GET', `/${PARENT}/executions/${encodeURIComponent(pick(MALFORMED_PARTS))}x%2f..`)}\r\n`;
    case 3:
      return `${head('GET', `/${PARENT}/executions?pageToken=${encodeURIComponent(pick(MALFORMED_PARTS))}!&${pick(['x', 'pageSize', '__proto__'])}=${encodeURIComponent(pick(MALFORMED_PARTS))}_`)}\r\n`;
    case 4: {
      const text = JSON.stringify({
        [pick(['executionTemplate', 'runOptions', ...MALFORMED_PARTS])]: value(),
        executionTemplate: value(),
      });
      return body('POST', `/${PARENT}/executions?executionId=fuzz`, text.slice(0, text.length - below(2)));
    }
    case 5:
      return body(
        'POST',
        `/${PARENT}/executions?executionId=fuzz`,
        JSON.stringify({
          executionTemplate: {
            inputNotebookFile: pick([
              'file:///dev/zero/x',
              'file:///proc/self/mem',
              'file://host/x',
              'file:///%00',
              'http://x',
              'file:',
              ...MALFORMED_PARTS,
            ]),
            [pick(['parameters', 'kernelSpec', 'labels'])]: value(),
          },
          runOptions: { [pick(['timeout', 'environment', 'source', 'interpreter'])]: value() },
        }),
      );
    case 6:
      return `${pick(['GET', 'TRACE', 'CONNECT', 'G E T', '\r\n'])} ${pick(['*', '//', 'http://[', 'evil.example:443', '/'])} HTTP/${pick(['1.1', '0.9', '2.0', '1.x'])}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    case 7:
      return `POST /${PARENT}/executions HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${pick(['-1', '99999999999', 'x', '1, 2', '4'])}\r\nTransfer-Encoding: ${pick(['chunked', 'identity', 'x'])}\r\n\r\n${pick(['zz\r\n', '0\r\n\r\n', 'ffffffffff\r\n'])}`;
    case 8:
      return `${pick(['GET', 'POST'])} /${PARENT} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${pick(MALFORMED_PARTS).replaceAll(/[\0\n]/g, '')}\r\nConnection: close\r\n\r\n`;
    default:
      return body(
        'POST',
        `/${PARENT}/executions/${pick(['a', 'zz', '-'])}:${pick(['cancel', 'x', ''])}`,
        pick(['{', '[1]', '{"a":1}', 'null', '\0']),
      );
  }
}

/** Sends bytes and closes, unless more follows; returns the response until the service closed. */
async function raw(service: TestService, data: string | Buffer, ends = true): Promise<string> {
  const socket = net.connect(Number(service.endpoint.port), '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => undefined);
  socket.on('connect', () => {
    if (ends) socket.end(data);
    else socket.write(data);
  });
  await once(socket, 'close');
  return Buffer.concat(received).toString('latin1');
}
