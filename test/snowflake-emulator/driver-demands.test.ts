/** What the official driver demands of a server, point by point; the numbers are those of the study that found them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

let emulator: SnowflakeEmulator;
let driver: Driver;

before(async () => {
  emulator = await openSnowflakeEmulator();
  driver = await connectDriver(emulator);
  await driver.run("ALTER SESSION SET TIMEZONE = 'UTC'");
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
});

interface Answer {
  readonly success: boolean;
  readonly code: string | null;
  readonly data: {
    readonly token: string;
    readonly returned: number;
    readonly total: number;
    readonly rowset: readonly unknown[];
    readonly queryResultFormat: string;
    readonly queryId: string;
    readonly sqlState: string;
  };
}

/** A request without the driver. */
async function post(path: string, body: unknown, token?: string): Promise<{ status: number; json: Answer }> {
  const response = await fetch(emulator.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Snowflake Token="${token}"` }) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

async function login(): Promise<string> {
  const { json } = await post('/session/v1/login-request?databaseName=MILLRACE', { data: { LOGIN_NAME: 'MILLRACE', PASSWORD: 'secret' } });
  return json.data.token;
}

test('1, 2, 6: an answer has numbers of rows, a rowset in JSON and a query id that is a UUID', async () => {
  const token = await login();
  for (const sqlText of ['SELECT 1 AS a', 'CREATE TABLE d1 (a NUMBER(1,0))', 'INSERT INTO d1 VALUES (1)', 'SELECT * FROM d1 WHERE a > 5']) {
    const { json } = await post(`/queries/v1/query-request?requestId=${randomUUID()}`, { sqlText }, token);
    assert.equal(json.success, true, sqlText);
    assert.equal(json.data.returned, json.data.rowset.length);
    assert.equal(json.data.total, json.data.rowset.length);
    assert.equal(json.data.queryResultFormat, 'json');
    assert.match(json.data.queryId, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  }
  const { connection } = driver;
  const queryId = (await driver.run('SELECT 42 AS answer')).getQueryId();
  const rows = await new Promise((resolve, reject) => {
    void connection.getResultsFromQueryId({
      queryId,
      sqlText: '',
      complete: (error, _, found) => (error ? reject(error) : resolve(found)),
    });
  });
  assert.deepEqual(rows, [{ ANSWER: '42' }]);
});

test('3, 4: a refusal is HTTP 200 with data.sqlState, and the driver sends the statement once', async () => {
  const token = await login();
  const { status, json } = await post(
    `/queries/v1/query-request?requestId=${randomUUID()}`,
    { sqlText: 'SELECT nope FROM nothing' },
    token,
  );
  assert.deepEqual([status, json.success, json.code, json.data.sqlState], [200, false, '002003', '42S02']);
  const sent = emulator.statements.length;
  await assert.rejects(driver.run('SELECT * FROM is_not_there'), { code: '002003', sqlState: '42S02' });
  assert.equal(emulator.statements.length, sent + 1);
});

test('5: a request that is sent again is answered by its first outcome', async () => {
  const token = await login();
  await driver.run('CREATE TABLE d5 (a NUMBER(1,0))');
  const path = `/queries/v1/query-request?requestId=${randomUUID()}`;
  const first = await post(path, { sqlText: 'INSERT INTO d5 VALUES (1)' }, token);
  const second = await post(`${path}&retryCount=1&clientStartTime=1`, { sqlText: 'INSERT INTO d5 VALUES (1)' }, token);
  assert.equal(second.json.data.queryId, first.json.data.queryId);
  assert.equal(await driver.value('SELECT COUNT(*) FROM d5'), '1');
  const requestId = randomUUID();
  await driver.run('INSERT INTO d5 VALUES (2)', { requestId });
  await driver.run('INSERT INTO d5 VALUES (2)', { requestId });
  assert.equal(await driver.value('SELECT COUNT(*) FROM d5'), '2');
});

test('7: several statements in one text, when their number is told', async () => {
  await assert.rejects(driver.run('SELECT 1; SELECT 2'), { code: '000008' });
  const values: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    driver.connection.execute({
      sqlText: 'SELECT 1 AS a; SELECT 2 AS a',
      parameters: { MULTI_STATEMENT_COUNT: 2 },
      complete: (error, statement, rows) => {
        if (error) {
          reject(error);
          return;
        }
        values.push(...(rows ?? []));
        if ('hasNext' in statement && statement.hasNext()) statement.NextResult();
        else resolve();
      },
    });
  });
  assert.deepEqual(values.slice(-2), [{ A: '1' }, { A: '2' }]);
});

test('9, 10, 11: a session is kept alive, closed, and telemetry is taken', async () => {
  const one = await connectDriver(emulator);
  assert.equal(await one.connection.isValidAsync(), true);
  const open = emulator.sessions;
  await one[Symbol.asyncDispose]();
  assert.equal(emulator.sessions, open - 1);
  assert.equal((await post('/telemetry/send', { logs: [] })).json.success, true);
});

test('12: a body may be compressed', async () => {
  const token = await login();
  const response = await fetch(`${emulator.url}/queries/v1/query-request?requestId=${randomUUID()}`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip', authorization: `Snowflake Token="${token}"` },
    body: gzipSync(JSON.stringify({ sqlText: 'SELECT 7' })),
  });
  const json = (await response.json()) as Answer;
  assert.deepEqual(json.data.rowset, [['7']]);
});

test('13: binds of every type, and lists of them for INSERT', async () => {
  await driver.run('CREATE TABLE d13 (n NUMBER(10,0), f FLOAT, t VARCHAR, b BOOLEAN)');
  await driver.run('INSERT INTO d13 VALUES (?, ?, ?, ?)', { binds: [1, 1.5, "it's", true] });
  await driver.run('INSERT INTO d13 (n, t) VALUES (?, ?)', {
    binds: [
      [2, null],
      [3, 'three'],
      [4, ''],
    ] as never,
  });
  assert.deepEqual(await driver.rows('SELECT * FROM d13 ORDER BY n'), [
    { N: '1', F: '1.5', T: "it's", B: true },
    { N: '2', F: null, T: null, B: null },
    { N: '3', F: null, T: 'three', B: null },
    { N: '4', F: null, T: '', B: null },
  ]);
  assert.equal(await driver.value('SELECT COUNT(*) FROM d13 WHERE n = ? AND t = ?', { binds: ['1', "it's"] }), '1');
  await assert.rejects(driver.run('SELECT ?'), { code: '002049' });
});

test('14: many binds go over a stage', async () => {
  await driver.run('CREATE TABLE d14 (n NUMBER(10,0), t VARCHAR)');
  const binds = Array.from({ length: 500 }, (_, index) => [index, index % 7 === 0 ? null : `text "${index}",\n`]);
  await using small = await connectDriver(emulator, { arrayBindingThreshold: 100 });
  await small.run('INSERT INTO d14 VALUES (?, ?)', { binds: binds as never });
  assert.deepEqual(await driver.rows('SELECT COUNT(*) AS c, COUNT(t) AS t, MAX(n) AS m FROM d14'), [{ C: '500', T: '428', M: '499' }]);
  assert.equal(await driver.value('SELECT t FROM d14 WHERE n = 3'), 'text "3",\n');
});

test('15 to 18: PUT uploads over HTTP, and leaves a file that is there unless told otherwise', async () => {
  await driver.run('CREATE STAGE d15');
  const file = join(tmpdir(), `d15-${process.pid}.txt`);
  await writeFile(file, 'first');
  const put = async (options: string): Promise<unknown> =>
    (await driver.rows(`PUT 'file://${file}' @d15/a/ AUTO_COMPRESS=FALSE ${options}`))[0]?.['status'];
  assert.equal(await put(''), 'UPLOADED');
  await writeFile(file, 'second, longer');
  assert.equal(await put(''), 'SKIPPED');
  assert.equal((await driver.rows('LIST @d15'))[0]?.['size'], '5');
  assert.equal(await put('OVERWRITE=TRUE'), 'UPLOADED');
  assert.equal((await driver.rows('LIST @d15'))[0]?.['size'], '14');
  await driver.run('REMOVE @d15/a/');
  assert.deepEqual(await driver.rows('LIST @d15'), []);
  await assert.rejects(driver.run(`PUT 'file://${file}' @nowhere/`), { code: '002003' });
});

test('17: where files have URLs of their own, the driver asks for each', async () => {
  await using old = await openSnowflakeEmulator({ presignedUploads: true });
  await using session = await connectDriver(old);
  await session.run('CREATE STAGE d17');
  const folder = await mkdtemp(join(tmpdir(), 'd17-'));
  try {
    for (const name of ['a.txt', 'b.txt']) await writeFile(join(folder, name), name);
    const put = `PUT 'file://${folder}/*.txt' @d17/x/ AUTO_COMPRESS=FALSE`;
    assert.deepEqual(
      (await session.rows(put)).map((row) => [row['target'], row['status']]),
      [
        ['a.txt', 'UPLOADED'],
        ['b.txt', 'UPLOADED'],
      ],
    );
    assert.equal(old.counts()['PUT'], 3);
    assert.deepEqual(
      (await session.rows('LIST @d17')).map((row) => row['name']),
      ['d17/x/a.txt', 'd17/x/b.txt'],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('19, 20: NULL is null, names are folded, and DML answers with counts', async () => {
  assert.deepEqual(await driver.rows(`SELECT NULL AS Nothing, '' AS "Empty"`), [{ NOTHING: null, Empty: '' }]);
  await driver.run('CREATE TABLE d20 (a NUMBER(2,0))');
  assert.equal((await driver.run('INSERT INTO d20 VALUES (1), (2), (3)')).getNumUpdatedRows(), 3);
  assert.equal((await driver.run('UPDATE d20 SET a = a + 10 WHERE a > 1')).getNumUpdatedRows(), 2);
  assert.equal((await driver.run('DELETE FROM d20 WHERE a > 10')).getNumUpdatedRows(), 2);
  const merge =
    'MERGE INTO d20 USING (SELECT 1 AS b UNION ALL SELECT 5) s ON a = b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (b)';
  assert.equal((await driver.run(merge)).getNumUpdatedRows(), 2);
});

test('21: values of every type come through the driver', async () => {
  await using plain = await connectDriver(emulator, { fetchAsString: ['Number', 'Date'] });
  await plain.run(
    "ALTER SESSION SET TIMEZONE = 'UTC', TIMESTAMP_NTZ_OUTPUT_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6', TIMESTAMP_TZ_OUTPUT_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6 TZHTZM'",
  );
  await plain.run("ALTER SESSION SET TIME_OUTPUT_FORMAT = 'HH24:MI:SS.FF6'");
  const [row] =
    await plain.rows(`SELECT CAST('-12.50' AS NUMBER(6,2)) AS n, CAST(1e100 AS FLOAT) AS f, CAST('1969-12-31' AS DATE) AS d, CAST('23:59:59.000001' AS TIME(6)) AS t,
    CAST('1969-12-31 23:59:59.5' AS TIMESTAMP_NTZ(6)) AS ntz, CAST('2024-03-01T00:00:00.000001+05:30' AS TIMESTAMP_TZ(6)) AS tz, TO_BINARY('00ff80', 'HEX') AS b, FALSE AS o,
    PARSE_JSON('[1, {"a": null}]') AS v`);
  assert.deepEqual(row, {
    N: '-12.50',
    F: '1e+100',
    D: '1969-12-31',
    T: '23:59:59.000001',
    NTZ: '1969-12-31 23:59:59.500000',
    TZ: '2024-03-01 00:00:00.000001 +0530',
    B: row?.['B'],
    O: false,
    V: [1, { a: null }],
  });
  assert.deepEqual(Buffer.from(row?.['B'] as Buffer), Buffer.from('00ff80', 'hex'));
});

test('a long statement is answered by where to ask, an asynchronous one at once', async () => {
  await using hasty = await openSnowflakeEmulator({ answerWithinMs: 100 });
  await using patient = await connectDriver(hasty);
  hasty.faults.add({ kind: 'hang', match: { sql: /SELECT 'long'/ }, delayMs: 300 });
  assert.equal(await patient.value("SELECT 'long'"), 'long');
  const statement = await driver.run("SELECT 'later' AS l", { asyncExec: true });
  const rows = await new Promise((resolve, reject) => {
    void driver.connection.getResultsFromQueryId({
      queryId: statement.getQueryId(),
      sqlText: '',
      complete: (error, _, found) => (error ? reject(error) : resolve(found)),
    });
  });
  assert.deepEqual(rows, [{ L: 'later' }]);
});
