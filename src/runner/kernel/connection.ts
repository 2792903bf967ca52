import { randomUUID } from 'node:crypto';
import { Dealer, Subscriber } from 'zeromq';
import { deferred, elapsed } from '../../system/deferred';
import type { ConnectionInfo } from './launch';
import { type KernelMessage } from '../../recording/kernel-message';
import { WireSession } from './wire';

export type RequestChannel = 'shell' | 'control' | 'stdin';
export type Channel = RequestChannel | 'iopub';

/** Milliseconds between attempts to connect to a socket: a kernel creates its sockets some time after its start. */
const RECONNECT_INTERVAL = 10;

/** Milliseconds after which a socket that the kernel closed is considered lost. */
const LOST_AFTER = 2000;

/** Milliseconds from the end of a kernel's process until its sockets are certainly closed. */
const CLOSED_AFTER = 200;

/**
 * The sockets of one kernel. No messages are lost under load, because any number of them may wait while this process is
 * busy (with ZeroMQ's default limit, a busy client loses most of a flood without notice).
 */
export class KernelConnection {
  private readonly session: WireSession;
  private readonly requests: Readonly<Record<RequestChannel, Dealer>>;
  private readonly iopub: Subscriber;
  /** Opens another connection to iopub. */
  private readonly subscribed: () => Subscriber;
  private readonly sent: Record<RequestChannel, Promise<void>>;
  private iopubClosed = deferred<undefined>();
  private received = 0;

  /**
   * @param onMessage Called for each message, in the order of its channel.
   * @param onGarbage Called for anything that is not a message of this session.
   */
  constructor(
    info: ConnectionInfo,
    onMessage: (channel: Channel, message: KernelMessage) => void,
    private readonly onGarbage: () => void,
  ) {
    this.session = new WireSession(info.key);
    const options = {
      linger: 0,
      reconnectInterval: RECONNECT_INTERVAL,
      receiveHighWaterMark: 0,
      ...(info.curve_publickey !== undefined &&
        info.curve_secretkey !== undefined && {
          curveServerKey: info.curve_publickey,
          curvePublicKey: info.curve_publickey,
          curveSecretKey: info.curve_secretkey,
        }),
    };
    // A kernel sends input requests to the routing id of the cell's request, but on another socket.
    const routingId = randomUUID();
    const dealer = (): Dealer => new Dealer({ ...options, sendHighWaterMark: 0, routingId });
    this.requests = { shell: dealer(), control: dealer(), stdin: dealer() };
    this.sent = { shell: Promise.resolve(), control: Promise.resolve(), stdin: Promise.resolve() };
    const separator = info.transport === 'ipc' ? '-' : ':';
    const address = (port: number): string => `${info.transport}://${info.ip}${separator}${String(port)}`;
    this.requests.shell.connect(address(info.shell_port));
    this.requests.control.connect(address(info.control_port));
    this.requests.stdin.connect(address(info.stdin_port));
    this.subscribed = () => {
      const socket = new Subscriber(options);
      socket.subscribe();
      socket.connect(address(info.iopub_port));
      return socket;
    };
    this.iopub = this.subscribed();
    this.iopub.events.on('connect', () => {
      this.iopubClosed = deferred();
    });
    this.iopub.events.on('disconnect', () => {
      this.iopubClosed.resolve(undefined);
    });
    const told = (channel: Channel) => (message: KernelMessage) => {
      onMessage(channel, message);
    };
    void this.receive(this.iopub, told('iopub'));
    void this.receive(this.requests.shell, told('shell'));
    void this.receive(this.requests.control, told('control'));
    void this.receive(this.requests.stdin, told('stdin'));
  }

  /**
   * Sends a request (or, on stdin, a reply) once the kernel's socket is connected.
   * @param content An object, or JSON text.
   * @returns The id that the answers name as their parent.
   */
  send(channel: RequestChannel, type: string, content: unknown): string {
    const { id, frames } = this.session.encode(type, content);
    // A socket sends one message at a time. It only fails when it is closed, and then no answer is awaited.
    this.sent[channel] = this.sent[channel]
      .then(() => this.requests[channel].send(frames))
      .catch(() => undefined);
    return id;
  }

  /** Calls `onLost` when the kernel closes one of its sockets and does not open it again. */
  watch(onLost: () => void): void {
    for (const { events } of [this.iopub, this.requests.shell]) {
      let lost: NodeJS.Timeout | undefined;
      events.on('disconnect', () => {
        clearTimeout(lost);
        lost = setTimeout(onLost, LOST_AFTER).unref();
      });
      events.on('connect', () => {
        clearTimeout(lost);
      });
    }
  }

  /** After the end of the kernel's process: resolves when everything that it had sent has been received. */
  async drained(): Promise<void> {
    await Promise.race([this.iopubClosed.promise, elapsed(CLOSED_AFTER)]);
    let count: number;
    do {
      count = this.received;
      await elapsed(1);
    } while (count !== this.received);
  }

  /**
   * Listens to iopub on a connection of its own, without a queue of earlier messages.
   * @returns a function that ends it.
   */
  listen(onMessage: (message: KernelMessage) => void): () => void {
    const socket = this.subscribed();
    void this.receive(socket, onMessage);
    return () => {
      socket.close();
    };
  }

  close(): void {
    this.iopub.close();
    for (const socket of Object.values(this.requests)) socket.close();
  }

  private async receive(
    socket: Dealer | Subscriber,
    onMessage: (message: KernelMessage) => void,
  ): Promise<void> {
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await socket.receive();
      } catch (error) {
        if (socket.closed) return;
        throw error;
      }
      this.received++;
      const message = this.session.decode(frames);
      if (message) onMessage(message);
      else this.onGarbage();
    }
  }
}
