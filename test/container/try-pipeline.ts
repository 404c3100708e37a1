/**
 * In the image's test, on the host while the container runs: `try-pipeline.ts URL MYSQL_PORT`, the container's name in
 * CONTAINER. Runs the README's commands as they are written there, but for `docker compose` itself.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [url = '', mysqlPort = ''] = process.argv.slice(2);
const container = process.env['CONTAINER'] ?? '';
const root = join(import.meta.dirname, '../..');
const deadlineMs = 60_000;

const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
const calls = lines.filter((line) => line.startsWith('curl '));
const commands = lines.filter((line) => line.startsWith('docker compose exec millrace '));
if (calls.length !== 2 || commands.length !== 2) throw new Error('the README has other commands than this runs');

const folder = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
const run = (command: string): { readonly text: string; readonly status: number | null } => {
  // Whatever port the worker has here, it is the one of the README for curl.
  const { stdout, stderr, status } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    env: { ...process.env, CURL_HOME: folder },
    encoding: 'utf8',
  });
  return { text: stdout + stderr, status };
};
try {
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  writeFileSync(join(folder, '.curlrc'), `connect-to = "127.0.0.1:8083:${new URL(url).host}"\nfail-with-body\nsilent\nshow-error\n`);
  // The container shares the host's network here, so MySQL is elsewhere than compose.yaml has it.
  const source = join(folder, 'examples/compose/source.json');
  writeFileSync(source, readFileSync(source, 'utf8').replace('"mysql"', '"127.0.0.1"').replace('"3306"', `"${mysqlPort}"`));
  for (const call of calls) {
    const { text, status } = run(call);
    if (status !== 0) throw new Error(`${call}: ${text}`);
  }
  const [query = '', verify = ''] = commands.map((line) => line.replace('docker compose exec millrace ', `podman exec ${container} `));
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const { text } = run(query);
    if (/\b3 rows\b/.test(text)) break;
    if (Date.now() > deadline) throw new Error(`${query}: the replica does not have the three orders: ${text}`);
    await new Promise((done) => setTimeout(done, 500));
  }
  const { text, status } = run(verify);
  if (status !== 0) throw new Error(`${verify}: ${status} ${text}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write('the replica has the three orders, equal to the source\n');
