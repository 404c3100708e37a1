import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Keeps bounded what connections make the server hold, whatever their clients send. */
export interface ConnectionGuard {
  /** Resolves when the answers before this one have left; false: the connection is closed. To be called as the request comes. */
  turn(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

interface Connection {
  readonly socket: Socket;
  /** Requests that are not answered yet. */
  pending: number;
  /** The last one that came; its body may still be under way. */
  last: IncomingMessage | undefined;
  lastAnswered: Promise<void>;
}

const greatestConnections = 2000;
/** A client that sends on without reading is cut off: each of its requests, and its answer, would be held. */
const greatestPending = 32;

/**
 * At the greatest number of connections the oldest one whose client has no whole request under way makes room: who only holds
 * connections, or sends for ever, keeps nobody else out.
 */
export function guardConnections(server: Server): ConnectionGuard {
  /** By the client's address, which the socket below a TLS socket has, too; oldest first. */
  const connections = new Map<string, Connection>();
  server.on('connection', (socket: Socket) => {
    if (connections.size >= greatestConnections) {
      const idle = [...connections.values()].find(({ pending, last }) => pending === 0 || last?.complete === false);
      (idle?.socket ?? socket).destroy();
    }
    const key = keyOf(socket);
    const connection: Connection = { socket, pending: 0, last: undefined, lastAnswered: Promise.resolve() };
    connections.set(key, connection);
    socket.once('close', () => {
      if (connections.get(key) === connection) connections.delete(key);
    });
  });
  return {
    async turn(request, response) {
      const { socket } = request;
      const connection = connections.get(keyOf(socket));
      if (connection === undefined) return !socket.destroyed;
      connection.pending++;
      connection.last = request;
      if (connection.pending > greatestPending) {
        socket.destroy();
        return false;
      }
      const before = connection.lastAnswered;
      connection.lastAnswered = new Promise((resolve) => {
        response.once('close', () => {
          connection.pending--;
          resolve();
        });
      });
      await before;
      return !socket.destroyed;
    },
  };
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
