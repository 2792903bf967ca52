import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Most connections that have not sent the token yet. More than the listen backlog (511), so that connections that
 * arrive together do not displace each other.
 */
const MAX_STRANGERS = 512;
/** Most connections with the token: enough for 20 windows with a few connections each. */
const MAX_KNOWN = 512;

/**
 * The connections of a server, in two sets with separate limits: those that sent the token, and the others. The others
 * therefore cannot displace clients with the token; above their limit the oldest is closed.
 */
export class Connections {
  private readonly strangers = new Set<Socket>();
  private readonly known = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.strangers.add(socket);
      socket.once('close', () => {
        this.strangers.delete(socket);
        this.known.delete(socket);
      });
      if (this.strangers.size <= MAX_STRANGERS) return;
      const [oldest] = this.strangers;
      if (oldest !== undefined) {
        this.strangers.delete(oldest);
        oldest.destroy();
      }
    });
  }

  /** Called when a request with the token came on a connection. @returns false if there are too many of these. */
  admit(socket: Socket): boolean {
    if (this.known.has(socket)) return true;
    if (this.known.size >= MAX_KNOWN) this.server.closeIdleConnections();
    if (this.known.size >= MAX_KNOWN) return false;
    this.strangers.delete(socket);
    if (!socket.destroyed) this.known.add(socket);
    return true;
  }
}
