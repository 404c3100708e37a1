/*
 * The image, built and run as compose.yaml runs it: not root, nothing writable but its volume, no capabilities. The two
 * calls of the README make a pipeline from a real MySQL to a replica, and SIGTERM ends it.
 */
import { freePort } from '../servers/free-port.ts';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { withoutServer } from '../servers/shared.ts';
import { startServer } from '../../src/cli/private-server.ts';

const root = resolve(import.meta.dirname, '../..');
const checkImage = join(import.meta.dirname, 'check-image');
const isOffline = (process.env['MILLRACE_OFFLINE'] ?? '0') !== '0';

/** Why it cannot run offline: tools and a base image would have to be fetched. */
function withoutTools(): string | false {
  if (!isOffline) return false;
  const missing = spawnSync(checkImage, ['-l'], { encoding: 'utf8' }).stdout.trim().split('\n');
  return missing[0] === ''
    ? 'the image needs packages, and MILLRACE_OFFLINE is set'
    : `no ${missing.join(', ')} here, and MILLRACE_OFFLINE is set`;
}

test(
  'the image runs a pipeline that two calls make, and stops on SIGTERM',
  { skip: withoutTools() || withoutServer('mysql'), timeout: 500_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-container-'));
    await using server = await startServer({ flavor: 'mysql' });
    try {
      const shop = await createConnection({ uri: server.root.url, multipleStatements: true });
      // The private server has the user already.
      await shop.query(readFileSync(join(root, 'examples/compose/shop.sql'), 'utf8').replace(/^(CREATE USER|GRANT) .*$/gm, ''));
      await shop.end();
      const port = await freePort();
      const properties = readFileSync(join(root, 'examples/compose/worker.properties'), 'utf8');
      await writeFile(join(folder, 'worker.properties'), properties.replace(/^listeners=.*$/m, `listeners=http://127.0.0.1:${port}`));
      const url = `http://127.0.0.1:${port}`;
      const pipeline = `'${process.execPath}' '${join(import.meta.dirname, 'try-pipeline.ts')}' ${url} ${server.port}`;
      const { stdout, stderr, status } = spawnSync(
        checkImage,
        `-d ${folder} -u ${url}/health -e MYSQL_PASSWORD=${server.password} -e MILLRACE_HEALTH_URL=${url}/health -t millrace-test`
          .split(' ')
          .concat('-x', pipeline, root, 'worker', '/data/worker.properties', '--data', '/data/millrace'),
        { encoding: 'utf8', timeout: 480_000 },
      );
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /user '1000:1000'/);
      assert.match(stdout, /healthcheck: healthy/);
      assert.match(stdout, /stopped on SIGTERM with 0/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
