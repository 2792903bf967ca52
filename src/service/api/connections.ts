import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Connections without the token so far. More than the system has ready for us at once: each gets to be heard. */
const MAX_STRANGERS = 512;
/** More than 20 windows with a few connections each. */
const MAX_KNOWN = 512;

/**
 * The connections of a server. Those that came with the token have places of their own, so that others cannot take them:
 * where there are too many others, the oldest of them is closed.
 */
export class Connections {
  readonly #strangers = new Set<Socket>();
  readonly #known = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#strangers.add(socket);
      socket.once('close', () => {
        this.#strangers.delete(socket);
        this.#known.delete(socket);
      });
      if (this.#strangers.size <= MAX_STRANGERS) return;
      const [oldest] = this.#strangers;
      if (oldest !== undefined) {
        this.#strangers.delete(oldest);
        oldest.destroy();
      }
    });
  }

  /** Called when a request on a connection came with the token. @returns false where there are too many already. */
  admit(socket: Socket): boolean {
    if (this.#known.has(socket)) return true;
    if (this.#known.size >= MAX_KNOWN) this.server.closeIdleConnections();
    if (this.#known.size >= MAX_KNOWN) return false;
    this.#strangers.delete(socket);
    if (!socket.destroyed) this.#known.add(socket);
    return true;
  }
}
