import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { sleep } from '../../src/base/abort.ts';

/** A TCP relay on loopback between a test's subject and a server, with the faults of a network at call. */
export interface Proxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many connections are open through it. */
  readonly connections: number;
  /** How many were accepted since the start. */
  readonly accepted: number;
  /** Bytes that went from the server to the clients. */
  readonly bytesFromServer: number;
  /** Breaks every open connection with a reset; new ones are accepted. */
  cut(): void;
  /** Lets so many further bytes of the server pass, over all connections, and then cuts, in the middle of a packet as it comes. */
  cutAfter(bytes: number): void;
  /** From now on every new connection is reset at once, until `accept`. */
  refuse(): void;
  accept(): void;
  /** Nothing passes in either direction, and nobody is told: a dead peer, until `resume`. */
  stall(): void;
  resume(): void;
  /** Holds every chunk back by so many milliseconds: a long line, and a thin one. */
  delay(ms: number): void;
}

export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  let refusing = false;
  let delayMs = 0;
  let accepted = 0;
  let bytesFromServer = 0;
  let cutAt = Infinity;

  const cut = (): void => {
    for (const socket of sockets) reset(socket);
  };

  const pump = async (from: Socket, to: Socket, fromServer: boolean): Promise<void> => {
    try {
      for await (const chunk of from) {
        if (!Buffer.isBuffer(chunk)) continue;
        if (delayMs > 0) await sleep(delayMs, closing.signal);
        await gate.promise;
        const room = fromServer ? cutAt - bytesFromServer : Infinity;
        const passing = chunk.length > room ? chunk.subarray(0, room) : chunk;
        if (fromServer) bytesFromServer += passing.length;
        const flushed = to.write(passing);
        if (chunk.length >= room) {
          cutAt = Infinity;
          // The bytes that may pass must have left before the reset, which discards what is queued.
          await new Promise<void>((done) => to.write('', () => done()));
          cut();
        } else if (!flushed) {
          await once(to, 'drain');
        }
      }
      to.end();
    } catch {
      // One side broke: the other one is to see a break too.
      reset(from);
      reset(to);
    }
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted++;
    client.on('error', () => client.destroy());
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    server.on('error', () => client.resetAndDestroy());
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    void pump(client, server, false);
    void pump(server, client, true);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { address, port } = portOf(listener.address());

  return {
    host: address,
    port,
    get connections() {
      return sockets.size / 2;
    },
    get accepted() {
      return accepted;
    },
    get bytesFromServer() {
      return bytesFromServer;
    },
    cut,
    cutAfter(bytes) {
      cutAt = bytesFromServer + bytes;
    },
    refuse() {
      refusing = true;
    },
    accept() {
      refusing = false;
    },
    stall() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    resume: () => gate.resolve(),
    delay(ms) {
      delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      gate.resolve();
      const closed = once(listener, 'close');
      listener.close();
      cut();
      await closed;
    },
  };
}

/** A socket that has been ended is only destroyed: Node goes on asking the one that is reset while its end is under way. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function portOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
  return address;
}
