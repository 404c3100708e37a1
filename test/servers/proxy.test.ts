import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { startProxy } from './proxy.ts';

/** A server that sends back what it gets. */
async function startEcho(): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function target(server: Server): { host: string; port: number } {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { host: '127.0.0.1', port: address.port };
}

async function opened(to: { host: string; port: number }): Promise<Socket> {
  const socket = connect(to);
  await once(socket, 'connect');
  return socket;
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

test('a proxy passes bytes in both directions and counts them', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  const socket = await opened(proxy);
  assert.equal(await answer(socket, 'hello'), 'hello');
  assert.equal(proxy.connections, 1);
  assert.equal(proxy.bytesFromServer, 5);
  socket.destroy();
});

test('a cut breaks what is open and leaves new connections alone', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  const socket = await opened(proxy);
  await answer(socket, 'x');
  const broken = once(socket, 'error');
  proxy.cut();
  const [error] = await broken;
  assert.ok(error instanceof Error && 'code' in error && error.code === 'ECONNRESET');
  const again = await opened(proxy);
  assert.equal(await answer(again, 'back'), 'back');
  again.destroy();
});

test('a cut after some bytes lets exactly those pass', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  const socket = await opened(proxy);
  proxy.cutAfter(3);
  const broken = once(socket, 'error');
  assert.equal(await answer(socket, 'abcdef'), 'abc');
  await broken;
});

test('a refusing proxy resets new connections until it accepts again', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  proxy.refuse();
  const refused = connect(proxy);
  await once(refused, 'error');
  proxy.accept();
  const socket = await opened(proxy);
  assert.equal(await answer(socket, 'in'), 'in');
  socket.destroy();
});

test('a stalled proxy keeps what is sent, without an error, until it resumes', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  const socket = await opened(proxy);
  await answer(socket, 'x');
  proxy.stall();
  const late = answer(socket, 'late');
  const first = await Promise.race([late, new Promise((done) => setTimeout(done, 100, 'nothing'))]);
  assert.equal(first, 'nothing');
  proxy.resume();
  assert.equal(await late, 'late');
  socket.destroy();
});

test('a delay holds both directions back', async () => {
  await using echo = await startEcho();
  await using proxy = await startProxy(target(echo));
  const socket = await opened(proxy);
  proxy.delay(50);
  const startMs = performance.now();
  assert.equal(await answer(socket, 'slow'), 'slow');
  assert.ok(performance.now() - startMs >= 95);
  socket.destroy();
});
