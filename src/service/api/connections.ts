import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Most connections that have not sent the token yet. More than the listen backlog (511), so that connections that
 * arrive together do not displace each other.
 */
const MAX_UNAUTHENTICATED = 512;
/** Most connections with the token: enough for 20 windows with a few connections each. */
const MAX_AUTHENTICATED = 512;

/**
 * The connections of a server, in two sets with separate limits: those that sent the token, and the others. The others
 * therefore cannot displace clients with the token; above their limit the oldest is closed.
 */
export class Connections {
  private readonly unauthenticated = new Set<Socket>();
  private readonly authenticated = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.unauthenticated.add(socket);
      socket.once('close', () => {
        this.unauthenticated.delete(socket);
        this.authenticated.delete(socket);
      });
      if (this.unauthenticated.size <= MAX_UNAUTHENTICATED) return;
      const [oldest] = this.unauthenticated;
      if (oldest !== undefined) {
        this.unauthenticated.delete(oldest);
        oldest.destroy();
      }
    });
  }

  /** Called when a request with the token came on a connection. @returns false if there are too many of these. */
  admit(socket: Socket): boolean {
    if (this.authenticated.has(socket)) return true;
    if (this.authenticated.size >= MAX_AUTHENTICATED) this.server.closeIdleConnections();
    if (this.authenticated.size >= MAX_AUTHENTICATED) return false;
    this.unauthenticated.delete(socket);
    if (!socket.destroyed) this.authenticated.add(socket);
    return true;
  }
}
