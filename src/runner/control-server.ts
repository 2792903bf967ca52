import * as net from 'node:net';
import { ControlRequestSchema, type ControlEvent, type ControlRequest } from '../protocol/runner-job';
import { controlAddress } from '../protocol/runtime-directory';

/** Requests are short; whoever sends more without a line break is no service. */
const MAX_LINE = 1 << 20;

/** The control connection's side of the runner: JSON lines over a local socket. That it listens is the proof of life. */
export class ControlServer {
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();
  private current: ControlEvent | undefined;
  /** Gets each request. */
  onRequest: (request: ControlRequest) => void = () => undefined;
  /** Called when somebody has connected. */
  onConnect: () => void = () => undefined;
  /** Called when the last connection was closed. */
  onClose: () => void = () => undefined;

  constructor() {
    this.server = net.createServer((socket) => {
      this.accept(socket);
    });
  }

  /** Whether anybody is connected. */
  get isConnected(): boolean {
    return this.sockets.size > 0;
  }

  /** @throws (rejects) where the socket cannot be made. */
  listen(runtimeDirectory: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(controlAddress(runtimeDirectory), resolve);
    });
  }

  /** Tells everybody who is connected, and, until the next event, everybody who connects. */
  send(event: ControlEvent): void {
    this.current = event;
    const line = JSON.stringify(event) + '\n';
    for (const socket of this.sockets) socket.write(line);
  }

  private accept(socket: net.Socket): void {
    this.sockets.add(socket);
    this.onConnect();
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => {
      const lines = (received + data).split('\n');
      received = lines.pop() ?? '';
      if (received.length > MAX_LINE) socket.destroy();
      for (const line of lines) this.handle(line, socket);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (!this.isConnected) this.onClose();
    });
    if (this.current) socket.write(JSON.stringify(this.current) + '\n');
  }

  private handle(line: string, socket: net.Socket): void {
    let request: ControlRequest;
    try {
      request = ControlRequestSchema.parse(JSON.parse(line));
    } catch {
      socket.destroy();
      return;
    }
    this.onRequest(request);
  }
}
