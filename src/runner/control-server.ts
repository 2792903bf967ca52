import * as net from 'node:net';
import { ControlRequestSchema, type ControlEvent, type ControlRequest } from '../protocol/runner-job';
import { controlAddress } from '../protocol/runtime-directory';

/** Requests are short: a longer line, in characters, does not come from a service. */
const MAX_LINE = 1 << 20;

/** The runner's end of the control connection: JSON lines over a local socket. The runner is alive while it listens. */
export class ControlServer {
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();
  private current: ControlEvent | undefined;
  /** Receives each request. */
  onRequest: (request: ControlRequest) => void = () => undefined;
  /** Called when a client has connected. */
  onConnect: () => void = () => undefined;
  /** Called when the last connection was closed. */
  onClose: () => void = () => undefined;

  constructor() {
    this.server = net.createServer((socket) => {
      this.accept(socket);
    });
  }

  /** Whether a client is connected. */
  get isConnected(): boolean {
    return this.sockets.size > 0;
  }

  /** Starts to listen. @throws (rejects) if the socket cannot be created. */
  listen(runtimeDirectory: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(controlAddress(runtimeDirectory), resolve);
    });
  }

  /** Sends an event to all connected clients, and to each client that connects before the next event. */
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
