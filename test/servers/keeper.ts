/**
 * Keeps the shared servers of a test run: node's test runner gives each test file a process, so the servers live
 * in the runner's own (`--test-global-setup`), which starts one when the first file asks for it over HTTP.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { flavors, startServer } from '../../src/cli/private-server.ts';
import { createServerPool } from './pool.ts';

const pool = createServerPool(startServer);

const listener = createServer((request, response) => {
  void answer(request.url ?? '/', response);
});

export async function globalSetup(): Promise<void> {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the keeper has no TCP address');
  process.env['MILLRACE_TEST_KEEPER'] = `http://127.0.0.1:${address.port}`;
}

export async function globalTeardown(): Promise<void> {
  listener.close();
  listener.closeAllConnections();
  await pool[Symbol.asyncDispose]();
}

async function answer(path: string, response: ServerResponse): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(path, 'http://keeper');
    const flavor = flavors.find((name) => pathname === `/${name}`);
    if (flavor === undefined) throw new Error(`no server is called ${pathname}`);
    const server = await pool.get(flavor, Object.fromEntries(searchParams));
    const { host, port, user, password, url, root, version, pid } = server;
    response.end(JSON.stringify({ flavor, host, port, user, password, url, root, version, pid }));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.message : String(error));
  }
}
