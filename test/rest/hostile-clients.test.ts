/** Clients that mean ill, or know no better: each gets a clear refusal, and the worker stays as it was. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { ask } from './replay-scenario.ts';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';
import type { WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest;
let port = 0;
const host = (): string => `127.0.0.1:${port}`;

before(async () => {
  port = await freePort();
  worker = await startWorker({ properties: { listeners: `http://${host()}` } });
});

after(async () => {
  await worker[Symbol.asyncDispose]();
});

const json = { 'content-type': 'application/json' };

/** The worker answers, and has no connectors. */
async function isSound(): Promise<void> {
  assert.ok(worker.running, worker.said());
  const answer = await ask(host(), { method: 'GET', path: '/connectors', headers: {} });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, []);
}

/** Resident memory, in bytes. */
function memory(): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function open(): Socket {
  // What the server does to the socket is part of the test.
  return connect(port, '127.0.0.1')
    .setMaxListeners(0)
    .on('error', () => undefined);
}

/** `once` would fail by an error of the socket. */
function closed(socket: Socket): Promise<void> {
  return new Promise((done) => (socket.closed ? done() : socket.once('close', () => done())));
}

function drained(socket: Socket): Promise<void> {
  return new Promise((done) => socket.once('drain', () => done()));
}

/** Sends bytes as they are and gives what comes until the server ends. */
async function send(bytes: string | Buffer): Promise<string> {
  const socket = open();
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.write(bytes);
  await closed(socket);
  return Buffer.concat(parts).toString('latin1');
}

test('a body that is no JSON of the right shape is refused with what is wrong', async () => {
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{"name":1e999,"config":{}}',
    '{"name":"a"}',
    '{"name":"a","config":[]}',
    '\u0000',
    '{"a":'.repeat(50_000),
  ];
  for (const body of bodies) {
    const answer = await ask(host(), { method: 'POST', path: '/connectors', headers: json, body });
    assert.equal(answer.status, 400, `${body.slice(0, 40)} → ${answer.text}`);
    assert.match(answer.text, /^\{"error_code":400,"message":"[^"]/);
  }
  const proto = '{"name":"p","config":{"__proto__":"x","constructor":"y","connector.class":"nope"}}';
  const answer = await ask(host(), { method: 'POST', path: '/connectors', headers: json, body: proto });
  assert.equal(answer.status, 400);
  await isSound();
});

test('a body of 50 MB is refused before it is read', async () => {
  const atFirst = memory();
  for (let i = 0; i < 3; i++) {
    const socket = open();
    let said = '';
    socket.on('data', (part: Buffer) => (said += part.toString('latin1')));
    socket.write(`POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n`);
    const megabyte = Buffer.alloc(1 << 20, 0x20);
    for (let sent = 0; sent < 50 && !socket.destroyed; sent++) {
      if (!socket.write(megabyte)) await Promise.race([drained(socket), closed(socket)]);
    }
    socket.end();
    await closed(socket);
    assert.match(said, /^HTTP\/1\.1 413 /);
  }
  // Without a length: it is counted as it comes.
  const socket = open();
  let said = '';
  socket.on('data', (part: Buffer) => (said += part.toString('latin1')));
  socket.write('POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let sent = 0; sent < 50 && !socket.destroyed; sent++) {
    socket.write(`100000\r\n`);
    socket.write(Buffer.alloc(1 << 20, 0x20));
    if (!socket.write('\r\n')) await Promise.race([drained(socket), closed(socket)]);
  }
  socket.end();
  await closed(socket);
  assert.match(said, /^HTTP\/1\.1 413 /);
  await isSound();
  assert.ok(memory() - atFirst < 150e6, `memory grew by ${memory() - atFirst}`);
});

test('what would take a time that grows with its square is refused, or read in one pass', async () => {
  const source = { 'connector.class': 'MySqlConnector', name: 'n', 'topic.prefix': 'p' };
  const names = (count: number): string => Array.from({ length: count }, (_, at) => `t${at}`).join();
  const bodies: readonly (readonly [what: string, config: Readonly<Record<string, string>>, said: RegExp])[] = [
    ['groups in groups', { 'database.include.list': '('.repeat(100_000) + ')'.repeat(100_000) }, /groups inside of each other/],
    ['many transformations', { transforms: names(60_000) }, /it has 60000 aliases, and can have 100/],
    ['beginnings of references', { 'database.hostname': '${env:'.repeat(150_000) }, /"error_count":[1-9]/],
    ['half references', { 'database.hostname': `${'${'.repeat(150_000)}}` }, /"error_count":[1-9]/],
  ];
  for (const [what, config, said] of bodies) {
    const body = JSON.stringify({ ...source, ...config });
    const answer = await ask(host(), {
      method: 'PUT',
      path: '/connector-plugins/MySqlConnector/config/validate',
      headers: json,
      body,
    });
    assert.equal(answer.status, 200, what);
    assert.match(answer.text, said, what);
  }
  await isSound();
});

test('nothing is kept that could not be asked for again, or without bound', async () => {
  const config = { 'connector.class': 'FileStreamSource', topic: 't' };
  for (const [name, why] of [
    ['x'.repeat(8001), /too long/],
    ['é'.repeat(1400), /too long/],
    ['a\ud800', /half of a character/],
  ] as const) {
    const answer = await ask(host(), { method: 'POST', path: '/connectors', headers: json, body: JSON.stringify({ name, config }) });
    assert.equal(answer.status, 400);
    assert.match(answer.text, why);
  }
  const put = (logger: string): ReturnType<typeof ask> =>
    ask(host(), { method: 'PUT', path: `/admin/loggers/${logger}`, headers: json, body: '{"level":"INFO"}' });
  for (let at = 0; at < 1000; at += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => put(`com.example.l${at + i}`)));
    assert.ok(answers.every(({ status }) => status === 200));
  }
  assert.equal((await put('com.example.more')).status, 400);
  assert.equal((await put('com.example.l7')).status, 200);
  await isSound();
});

test("names of JavaScript's own are names like others", async () => {
  const call = async (method: string, path: string, body?: string): ReturnType<typeof ask> =>
    ask(host(), { method, path, headers: json, ...(body === undefined ? {} : { body }) });
  const config = '{"__proto__":"x","constructor":"y","connector.class":"FileStreamSource","topic":"t","file":"/x"}';
  const made = await call('POST', '/connectors', `{"name":"__proto__","config":${config},"initial_state":"STOPPED"}`);
  assert.equal(made.status, 201, made.text);
  const read = await call('GET', '/connectors/__proto__/config');
  assert.equal(read.text, config.replace('}', ',"name":"__proto__"}'));
  assert.match((await call('GET', '/connectors?expand=status')).text, /^\{"__proto__":\{"status":\{"name":"__proto__"/);
  assert.match((await call('PATCH', '/connectors/__proto__/config', '{"__proto__":null}')).text, /"config":\{"constructor":"y"/);
  const offsets = '{"offsets":[{"partition":{"filename":"/x","__proto__":"y"},"offset":{"position":1}}]}';
  assert.equal((await call('PATCH', '/connectors/__proto__/offsets', offsets)).status, 200);
  assert.equal((await call('GET', '/connectors/__proto__/offsets')).text, offsets);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const named = {
      'connector.class': 'FileStreamSource',
      topic: 't',
      transforms: name,
      [`transforms.${name}.type`]: name,
      'key.converter': name,
    };
    assert.equal((await call('POST', '/connectors', JSON.stringify({ name: 'n', config: named }))).status, 400, name);
    assert.equal((await call('POST', '/connectors', JSON.stringify({ name: 'n', config: { 'connector.class': name } }))).status, 400, name);
    assert.equal((await call('GET', `/connector-plugins/${name}/config`)).status, 404, name);
  }
  assert.equal((await call('DELETE', '/connectors/__proto__')).status, 204);
  await isSound();
});

test('headers without end are refused', async () => {
  const flood = await send(`GET /connectors HTTP/1.1\r\nHost: x\r\n${'X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(5000)}\r\n`);
  assert.match(flood, /^HTTP\/1\.1 431 /);
  const long = await send(`GET /connectors?${'a'.repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.match(long, /^HTTP\/1\.1 431 /);
  await isSound();
});

test('what is no HTTP is refused, in the form of all errors', async () => {
  for (const bytes of [
    'HELO\r\n\r\n',
    'GET /connectors HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
    'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  ]) {
    const said = await send(Buffer.from(bytes, 'latin1'));
    assert.match(said, /^HTTP\/1\.1 400 Bad Request\r\n/, JSON.stringify(bytes));
    assert.match(said, /\r\n\r\n\{"error_code":400,"message":"[^"]+"\}$/);
  }
  const nobody = await send('GET /connectors HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(nobody, /^HTTP\/1\.1 400 [\s\S]*\{"error_code":400,"message":"The request has no Host\."\}$/);
  assert.match(await send('CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 405 [\s\S]*"error_code":405/);
  // Two lengths: what smuggles requests past a proxy.
  const smuggled = await send('POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  assert.match(smuggled, /^HTTP\/1\.1 400 /);
  await isSound();
});

test('tricks in paths lead nowhere', async () => {
  const paths = [
    '/../../etc/passwd',
    '/connectors/../../etc/passwd',
    '/connectors/..%2f..%2fetc%2fpasswd',
    '/connectors/%2e%2e/%2e%2e/etc/passwd',
    '/connectors/%00',
    '/connectors/%',
    '/connectors/%zz',
    '/connectors/%c0%af',
    '//connectors',
    '/connectors//status',
    '/connectors/a%2Fb/status',
    '/connectors/a/tasks/99999999999999999999/status',
    '/connectors/a/tasks/-1/status',
    '/admin/loggers/__proto__',
    '/connector-plugins/__proto__/config',
    '/connectors/__proto__',
    `/connectors/${'x'.repeat(8000)}`,
    '/console/..%5c..%5cwindows',
  ];
  for (const path of paths) {
    const answer = await ask(host(), { method: 'GET', path, headers: {} });
    assert.ok(answer.status === 404 || answer.status === 400, `${path} → ${answer.status} ${answer.text.slice(0, 200)}`);
    assert.match(answer.text, /^\{"error_code":\d+,"message":/, path);
  }
  await isSound();
});

test('a connector can have any name that Connect allows, and goes again', async () => {
  const names = [
    'a b',
    'ä',
    '日本',
    '😀',
    '%2F',
    'a/b',
    'a\\b',
    'a?b#c',
    '{c}',
    '..',
    '.',
    '"',
    "'",
    '<script>',
    '__proto__',
    'constructor',
    'a%',
    '\u00a0',
    'x'.repeat(1000),
  ];
  for (const name of names) {
    const body = JSON.stringify({
      name,
      config: { 'connector.class': 'FileStreamSource', topic: 't', file: '/nowhere/that/is' },
      initial_state: 'STOPPED',
    });
    const created = await ask(host(), { method: 'POST', path: '/connectors', headers: json, body });
    assert.equal(created.status, 201, `${name}: ${created.text}`);
    const path = new URL(created.headers['location'] ?? '', `http://${host()}`);
    const at = created.headers['location']?.slice(`http://${host()}`.length) ?? path.pathname;
    const read = await ask(host(), { method: 'GET', path: at, headers: {} });
    assert.equal(read.status, 200, `${at}: ${read.text}`);
    assert.match(read.text, new RegExp(`"name":${JSON.stringify(name).replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}`));
    const gone = await ask(host(), { method: 'DELETE', path: at, headers: {} });
    assert.equal(gone.status, 204, gone.text);
  }
  for (const name of ['a\nb', '\u0000', '\u007f', '\u0085']) {
    const body = JSON.stringify({ name: `x${name}x`, config: { 'connector.class': 'FileStreamSource', topic: 't' } });
    const refused = await ask(host(), { method: 'POST', path: '/connectors', headers: json, body });
    assert.equal(refused.status, 400);
  }
  await isSound();
});

test('two thousand connections that say nothing, or one byte at a time, keep nobody else out', async () => {
  const atFirst = memory();
  const idle = Array.from({ length: 1500 }, () => open());
  const slow = Array.from({ length: 300 }, () => {
    const socket = open();
    socket.write('POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n');
    return socket;
  });
  for (let i = 0; i < 5; i++) {
    for (const socket of slow) if (!socket.destroyed) socket.write('{');
    await isSound();
  }
  assert.ok(memory() - atFirst < 200e6, `memory grew by ${memory() - atFirst}`);
  for (const socket of [...idle, ...slow]) socket.destroy();
  await isSound();
});

test('who holds thousands of connections, bodies or answers holds no memory without bound, and keeps nobody else out', async () => {
  const atFirst = memory();
  const held = Array.from({ length: 2500 }, () => open());
  await isSound();
  for (const socket of held) socket.destroy();
  const half = Array.from({ length: 2500 }, () => {
    const socket = open();
    socket.write('POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{');
    return socket;
  });
  for (let i = 0; i < 5; i++) await isSound();
  for (const socket of half) socket.destroy();
  const body = Buffer.alloc(1_000_000, 0x20);
  const begun = Array.from({ length: 150 }, () => {
    const socket = open();
    socket.write('POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n');
    socket.write(body);
    return socket;
  });
  const refused = await Promise.race(
    begun.map((socket) => new Promise((done) => socket.once('data', (part: Buffer) => done(part.toString())))),
  );
  assert.match(String(refused), /^HTTP\/1\.1 503 /);
  await isSound();
  for (const socket of begun) socket.destroy();
  const deaf = Array.from({ length: 20 }, () => {
    const socket = open().pause();
    const request = 'GET /connector-plugins/MySqlConnector/config HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(request.repeat(32));
    return socket;
  });
  for (let i = 0; i < 5; i++) await isSound();
  for (const socket of deaf) socket.destroy();
  assert.ok(memory() - atFirst < 250e6, `memory grew by ${memory() - atFirst}`);
});

test('requests that are not waited for do no harm', async () => {
  const body = JSON.stringify({ name: 'nope', config: { 'connector.class': 'FileStreamSource' } });
  const bytes = `POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (let i = 0; i < 200; i++) {
    const socket = open();
    socket.write(bytes);
    if (i % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  // Many in one: they are answered one after another.
  const many = await send(`${'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(31)}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  assert.equal(many.match(/HTTP\/1\.1 200 OK/g)?.length, 32);
  // Too many: that is no client which waits for answers.
  assert.equal(await send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000)), '');
  await isSound();
});
