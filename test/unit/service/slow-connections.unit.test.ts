import * as assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { ApiServer } from '../../../src/service/api/server';

const TOKEN = 'x'.repeat(43);

describe('Slow connections', () => {
  let server: ApiServer;
  let endpoint: URL;
  let asked = 0;
  const complaints: string[] = [];
  before(async () => {
    server = new ApiServer(
      TOKEN,
      () => {
        asked++;
        return Promise.resolve({});
      },
      (line) => complaints.push(line),
      { headers: 300, request: 600, idle: 300, check: 50 },
    );
    endpoint = new URL(await server.listen());
  });
  after(() => server.close());

  const head = (): string =>
    `POST /x HTTP/1.1\r\nHost: ${endpoint.host}\r\nAuthorization: Bearer ${TOKEN}\r\n`;

  /** Sends the pieces one after the other while the connection is open; returns the response. */
  async function send(start: string, drip = ''): Promise<string> {
    const socket = net.connect(Number(endpoint.port), '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', () => undefined);
    socket.write(start);
    const timer = setInterval(() => drip !== '' && socket.write(drip), 20);
    await once(socket, 'close');
    clearInterval(timer);
    return Buffer.concat(received).toString('latin1');
  }

  async function isServed(): Promise<void> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const request = http.request(endpoint, { headers, agent: false }).end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 200);
  }

  for (const [name, start, drip] of [
    ['say nothing', '', ''],
    ['never end a header', `GET /x HTTP/1.1\r\nX-Slow: `, 'y'],
    ['send header after header', `GET /x HTTP/1.1\r\n`, 'X: y\r\n'],
    ['never end a body', 'body', ' '],
    ['send chunk after chunk', 'chunks', '1\r\n \r\n'],
    ['ask nothing more', 'keep', ''],
  ] as const) {
    it(`${name}: 50 of them are closed, and other clients are served meanwhile`, async () => {
      const before = asked;
      const text =
        start === 'body'
          ? `${head()}Content-Length: 100000\r\n\r\n{`
          : start === 'chunks'
            ? `${head()}Transfer-Encoding: chunked\r\n\r\n`
            : start === 'keep'
              ? `${head()}Content-Length: 0\r\n\r\n`
              : start;
      const slow = Array.from({ length: 50 }, () => send(text, drip));
      await isServed();
      const answers = await Promise.all(slow);
      await isServed();
      if (start === 'keep') assert.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 200')));
      else assert.equal(asked - before, 2, 'what is not complete was handed on');
      assert.ok(
        answers.every((answer) => !answer.startsWith('HTTP/1.1 5')),
        answers[0],
      );
      assert.deepEqual(complaints, []);
    });
  }
}).timeout(30_000);

describe('Connections without the token', () => {
  let server: ApiServer;
  let endpoint: URL;
  const unauthenticated: net.Socket[] = [];
  before(async () => {
    server = new ApiServer(
      TOKEN,
      () => Promise.resolve({}),
      (line) => assert.fail(line),
    );
    endpoint = new URL(await server.listen());
  });
  after(async () => {
    for (const socket of unauthenticated) socket.destroy();
    await server.close();
  });

  /** Opens connections that send only this. */
  async function open(count: number, start: string): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = net.connect(Number(endpoint.port), '127.0.0.1');
        socket.on('error', () => undefined);
        unauthenticated.push(socket);
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
        if (start !== '') socket.write(start);
      }),
    );
  }

  /** Returns the status code, and the port of the client. */
  async function ask(
    agent: http.Agent | false,
  ): Promise<[code: number | undefined, port: number | undefined]> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const request = http.request(endpoint, { headers, agent }).end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const { localPort } = response.socket;
    response.resume();
    await once(response, 'end');
    return [response.statusCode, localPort];
  }

  for (const [name, start] of [
    ['say nothing', ''],
    ['never end a header', 'GET / HTTP/1.1\r\nX-Slow: '],
    ['have another token', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n'],
  ] as const) {
    it(`that ${name} do not block connections with the token, however many there are`, async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const [, before] = await ask(agent);
      await open(1500, start);
      const [answers] = await Promise.all([
        Promise.all(Array.from({ length: 55 }, () => ask(false))),
        open(500, start),
      ]);
      assert.deepEqual(new Set(answers.map(([code]) => code)), new Set([200]));
      // An earlier connection is still open.
      assert.deepEqual(await ask(agent), [200, before]);
      agent.destroy();
    });
  }
}).timeout(60_000);
