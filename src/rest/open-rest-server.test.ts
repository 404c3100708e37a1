import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { openRestServer } from './open-rest-server.ts';
import type { RestServerOptions } from './open-rest-server.ts';
import { ok } from './route.ts';

const options: RestServerOptions = {
  listener: { protocol: 'http', host: '127.0.0.1', port: 0 },
  routes: [{ method: 'POST', path: '/things', answer: (request) => ok(request.json()) }],
  crossOrigin: { origins: [], methods: '' },
  headers: [],
  log: silentLogger,
};

/** What the server says until it closes the connection, while bytes trickle. */
function trickle(url: string, bytes: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((done) => {
    let said = '';
    let at = 0;
    const socket = connect(Number(port), hostname);
    const timer = setInterval(() => socket.write(bytes[at++ % bytes.length] ?? ''), 20);
    socket.on('data', (part: Buffer) => (said += part.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      done(said);
    });
  });
}

test('a client that sends its request byte by byte is cut off', async () => {
  await using server = await openRestServer({ ...options, requestTimeoutMs: 300 });
  const said = await trickle(server.url, `POST /things HTTP/1.1\r\nX-Slow: ${'a'.repeat(10_000)}`);
  assert.match(said, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*\{"error_code":408,"message":"HTTP 408 Request Timeout"\}$/);
});

test('a client that says nothing is cut off', async () => {
  await using server = await openRestServer({ ...options, requestTimeoutMs: 300 });
  const said = await trickle(server.url, '');
  assert.ok(said === '' || said.startsWith('HTTP/1.1 408 '), said);
});

test('an address that is taken is told', async () => {
  await using server = await openRestServer(options);
  const port = Number(new URL(server.url).port);
  await assert.rejects(openRestServer({ ...options, listener: { protocol: 'http', host: '127.0.0.1', port } }), { code: 'LISTEN_FAILED' });
});
