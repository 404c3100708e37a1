/** In the image's test, on the host while the container runs: `try-pipeline.ts URL MYSQL_PORT`, the container's name in CONTAINER. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [url = '', mysqlPort = ''] = process.argv.slice(2);
const container = process.env['CONTAINER'] ?? '';
const examples = join(import.meta.dirname, '../../examples/compose');
const deadlineMs = 60_000;

for (const name of ['source', 'sink']) {
  // As compose.yaml has it, but for where MySQL is: the container shares the host's network here.
  const body = readFileSync(join(examples, `${name}.json`), 'utf8')
    .replace('"mysql"', '"127.0.0.1"')
    .replace('"3306"', `"${mysqlPort}"`);
  const answer = await fetch(`${url}/connectors`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (answer.status !== 201) throw new Error(`POST of ${name}.json: ${answer.status} ${await answer.text()}`);
}

const sql = 'SELECT count(*) FROM shop.orders';
const deadline = Date.now() + deadlineMs;
for (;;) {
  const args = ['exec', container, 'node', '/app/bin/millrace', 'query', sql, '--data', '/data/millrace', '--json'];
  const { stdout, stderr } = spawnSync('podman', args, { encoding: 'utf8' });
  if (/\b3\b/.test(stdout)) break;
  if (Date.now() > deadline) throw new Error(`the replica does not have the three orders: ${stdout} ${stderr}`);
  await new Promise((done) => setTimeout(done, 500));
}
process.stdout.write('the replica has the three orders\n');
