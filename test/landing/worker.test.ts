import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { connectDriver } from '../snowflake-emulator/driver.fixture.ts';
import { openSnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';

/** `events.jsonl` of a recorded scenario. */
function recordedEvents(name: string): string {
  const packed = readFileSync(join(import.meta.dirname, '..', 'golden', 'recordings', 'mysql.jsonl.zst'));
  for (const line of zstdDecompressSync(packed).toString('utf8').split('\n')) {
    if (line === '') continue;
    const files = JSON.parse(line) as Readonly<Record<string, string>>;
    if ((JSON.parse(files['scenario.json'] ?? '{}') as { readonly name?: string }).name === name) return files['events.jsonl'] ?? '';
  }
  throw new Error(`no scenario ${name}`);
}

async function millrace(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0, said);
  return said;
}

test("a configuration of Snowflake's Kafka connector runs in a worker, and goes on where it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-landing-'));
  await using emulator = await openSnowflakeEmulator();
  await using driver = await connectDriver(emulator);
  try {
    await driver.run('CREATE SCHEMA "CDC"');
    const [events, sink, data] = [join(folder, 'events.jsonl'), join(folder, 'sink.json'), join(folder, 'data')];
    const lines = recordedEvents('operations-truncate')
      .split('\n')
      .filter((line) => line !== '');
    const ofTable = lines.filter((line) => line.startsWith('{"topic":"operations-truncate.operations_truncate.t"'));
    assert.ok(ofTable.length > 5);
    const config = {
      'connector.class': 'com.snowflake.kafka.connector.SnowflakeSinkConnector',
      'tasks.max': '8',
      topics: 'operations-truncate.operations_truncate.t',
      'snowflake.topic2table.map': 'operations-truncate.operations_truncate.t:landed',
      'snowflake.url.name': emulator.url,
      'snowflake.user.name': 'MILLRACE',
      'snowflake.authenticator': 'snowflake',
      'snowflake.password': 'secret',
      'snowflake.database.name': 'MILLRACE',
      'snowflake.schema.name': 'CDC',
      'buffer.count.records': '3',
      'buffer.flush.time': '1',
      'replica.runner': 'millrace',
      'replica.merge.interval.ms': '0',
    };
    writeFileSync(sink, JSON.stringify({ name: 'lake', config }));
    // the last record is an insert's delete: before it the table has a row
    writeFileSync(events, lines.slice(0, lines.indexOf(ofTable.at(-1) ?? '') - 1).join('\n'));
    await millrace('import', events, '--prefix', 'operations-truncate', '--data', data);
    await millrace('run', sink, '--data', data, '--until-caught-up');
    const landed = `SELECT CAST("RECORD_METADATA":"offset" AS NUMBER(10,0)) AS O FROM "CDC"."LANDED" ORDER BY 1`;
    const offsets = async (): Promise<readonly unknown[]> => (await driver.rows(landed)).map((row) => Number(Object.values(row)[0]));
    const before = await offsets();
    assert.ok(before.length > 0 && before.length < ofTable.length);

    writeFileSync(events, lines.join('\n'));
    await millrace('import', events, '--prefix', 'operations-truncate', '--data', data);
    await millrace('run', sink, '--data', data, '--until-caught-up');
    assert.deepEqual(
      await offsets(),
      ofTable.map((_, index) => index),
    );
    // TRUNCATE came, then a row came and went
    assert.deepEqual(await driver.rows('SELECT * FROM "OPERATIONS_TRUNCATE"."T"'), []);

    const printed = await millrace('snowflake-sql', sink, '--data', data);
    assert.match(
      printed,
      /CREATE STREAM IF NOT EXISTS "MILLRACE"\."CDC"\."LANDED__STREAM" ON TABLE "MILLRACE"\."CDC"\."LANDED" APPEND_ONLY = TRUE;/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a configuration of version 4 streams columns of their own, with envelope and without', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-landing-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // the account is the host's name up to the first dot
  const users = [
    { name: 'MILLRACE', password: 'secret' },
    { name: 'STREAMER', publicKey },
  ];
  await using emulator = await openSnowflakeEmulator({ account: '127', users });
  await using driver = await connectDriver(emulator);
  try {
    await driver.run('CREATE SCHEMA "CDC"');
    const [events, sink, data] = [join(folder, 'events.jsonl'), join(folder, 'sink.json'), join(folder, 'data')];
    const lines = recordedEvents('operations').split('\n');
    writeFileSync(events, lines.join('\n'));
    const topic = 'operations.operations.plain';
    const config = {
      'connector.class': 'com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector',
      topics: topic,
      'snowflake.url.name': emulator.url,
      'snowflake.user.name': 'streamer',
      'snowflake.private.key': privateKey.split('\n').slice(1, -2).join(''),
      'snowflake.database.name': 'MILLRACE',
      'snowflake.schema.name': 'CDC',
      'replica.runner': 'millrace',
      'replica.merge.interval.ms': '0',
    };
    const flat = {
      ...config,
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
      'snowflake.topic2table.map': `${topic}:flat`,
      'replica.name.format': 'flat.${table}',
      'replica.form': 'table',
    };
    writeFileSync(
      sink,
      JSON.stringify([
        { name: 'envelope', config },
        { name: 'flat', config: flat },
      ]),
    );
    await millrace('import', events, '--prefix', 'operations', '--data', data);
    await millrace('run', sink, '--data', data, '--until-caught-up');
    await millrace('run', sink, '--data', data, '--until-caught-up');
    const [landed] = await driver.rows(`SELECT COUNT(*) AS N FROM "CDC"."${topic}"`);
    assert.equal(Number(landed?.['N']), lines.filter((line) => line.startsWith(`{"topic":"${topic}"`)).length);
    const rows = await driver.rows('SELECT * FROM "OPERATIONS"."PLAIN" ORDER BY 1');
    // as the SQL of the recording leaves the table
    assert.deepEqual(rows.slice(0, 3), [
      { ID: '3', A: 'via view', B: '7', U: '3' },
      { ID: '8', A: 'moved', B: '7', U: '7' },
      { ID: '9', A: 'updated', B: '7', U: '9' },
    ]);
    assert.deepEqual(await driver.rows('SELECT * FROM "FLAT"."PLAIN" ORDER BY 1'), rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
