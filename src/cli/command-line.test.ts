import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const program = join(import.meta.dirname, '../../bin/millrace');
const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function millrace(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // One that was to be refused and runs is a failure, not a wait.
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const source = {
  name: 'shop',
  config: {
    'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
    'database.hostname': '127.0.0.1',
    'database.port': 1,
    'database.user': 'u',
    'database.password': 'secret-word',
    'topic.prefix': 'shop',
  },
};
const sink = {
  name: 'duck',
  config: { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': 'shop\\..*', 'duckdb.file': 'x.duckdb' },
};

const commands = ['demo', 'run', 'verify', 'query', 'tail', 'doctor', 'resync', 'status'];

test('--help names every command, examples and exit codes', async () => {
  const { code, stdout } = await millrace(['--help']);
  assert.equal(code, 0);
  for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
  assert.match(stdout, /Examples:/);
  assert.match(stdout, /Exit codes: 0 .*; 1 .*; 2 /);
});

for (const command of commands) {
  test(`${command} --help says what it takes, with examples`, async () => {
    const { code, stdout } = await millrace([command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Usage: millrace ${command}`));
    assert.match(stdout, /Examples:\n {2}\$ /);
  });
}

test('--version is that of the package', async () => {
  const json: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  const { code, stdout } = await millrace(['--version']);
  assert.equal(code, 0);
  assert.ok(typeof json === 'object' && json !== null && 'version' in json && stdout.trim() === json.version);
});

for (const [why, args, said] of [
  ['an unknown command', ['replicate'], /unknown command 'replicate'/],
  ['an unknown option', ['run', '--fast', 'x.json'], /unknown option '--fast'/],
  ['a missing argument', ['run'], /missing required argument 'config'/],
  ['no command', [], /Usage: millrace/],
  ['a wrong number', ['demo', '--seconds', 'soon'], /whole number/],
  ['a wrong size', ['run', '--log-max-bytes', 'much', 'x.json'], /number of bytes/],
  ['tail without topics', ['tail'], /--all/],
  ['resync without tables', ['resync'], /--all/],
  ['resync of something that is no table', ['resync', 'orders'], /database\.table/],
] as const) {
  test(`${why} is a mistake of usage: exit code 2, said on standard error`, async () => {
    const { code, stdout, stderr } = await millrace(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, said);
  });
}

const unusable: readonly (readonly [why: string, files: () => readonly string[], code: string, named: RegExp])[] = [
  ['a file that is not there', () => ['none.json'], 'CONFIG_UNREADABLE', /none\.json/],
  ['a file that is not JSON', () => [file('bad.json', '{"name": ')], 'CONFIG_UNREADABLE', /bad\.json/],
  ['a file without a config', () => [file('half.json', { name: 'x' })], 'CONFIG_INVALID', /half\.json.*"config"/],
  ['a list without connectors', () => [file('empty.json', [])], 'CONFIG_INVALID', /empty\.json.*its list is empty/],
  [
    'an unknown class',
    () => [file('class.json', { name: 'x', config: { 'connector.class': 'io.example.Nope' } })],
    'CONFIG_INVALID',
    /io\.example\.Nope/,
  ],
  [
    'a missing property',
    () => [file('missing.json', { ...source, config: { ...source.config, 'database.port': 'x' } })],
    'CONFIG_INVALID',
    /database\.port/,
  ],
  [
    'an unsupported property',
    () => [file('old.json', { ...source, config: { ...source.config, 'table.whitelist': 'a.b' } })],
    'CONFIG_UNSUPPORTED',
    /table\.whitelist/,
  ],
  ['two connectors of one name', () => [file('a.json', source), file('b.json', source)], 'CONFIG_INVALID', /Two connectors.*"shop"/],
  [
    'two sources of one prefix',
    () => [file('a.json', source), file('b.json', { ...source, name: 'other' })],
    'CONFIG_INVALID',
    /same topic\.prefix/,
  ],
  [
    'a reference to nothing',
    () => [file('env.json', { ...source, config: { ...source.config, 'database.password': '${env:NOT_THERE}' } })],
    'CONFIG_INVALID',
    /\$\{env:NOT_THERE\}/,
  ],
];

for (const [why, files, code, named] of unusable) {
  test(`run with ${why} ends at once with code 2 and says ${code}, what, and the next step`, async () => {
    const outcome = await millrace(['run', '--data', join(folder, 'unused'), ...files()]);
    assert.equal(outcome.code, 2, outcome.stderr);
    assert.match(outcome.stderr, new RegExp(`^error ${code}: `, 'm'));
    assert.match(outcome.stderr, named);
    assert.match(outcome.stderr, /^ {2}next: {2}\S/m);
    assert.ok(!outcome.stderr.includes('secret-word'), 'the password is shown');
    assert.ok(!existsSync(join(folder, 'unused')), 'a data folder was made');
  });
}

for (const args of [['query', 'SELECT 1'], ['status'], ['verify'], ['resync', '--all'], ['tail', '--all']]) {
  test(`${args[0]} without a worker says so, and how to start one: exit code 2`, async () => {
    const { code, stdout, stderr } = await millrace([...args, '--data', join(folder, 'no-worker')]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^error WORKER_NOT_RUNNING: .*no-worker/);
    assert.match(stderr, /next:/);
  });
}

test('a server that does not answer is retried, said so, and SIGTERM ends it with code 0', async () => {
  const files = [file('source.json', source), file('sink.json', sink)];
  const child = spawn(process.execPath, [program, 'run', '--data', join(folder, 'down'), ...files], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let asked = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    // Once only: a second signal ends it at once.
    if (!asked && /tried again.*attempt=2/.test(stderr)) asked = child.kill('SIGTERM');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, stderr);
  assert.match(stderr, /MYSQL_UNREACHABLE/);
  assert.match(stderr, /stopped/);
});

test('a second process on the same data folder is refused while the first runs', async () => {
  const files = [file('source.json', source), file('sink2.json', { ...sink, config: { ...sink.config, 'duckdb.file': 'y.duckdb' } })];
  const first = spawn(process.execPath, [program, 'run', '--data', join(folder, 'busy'), ...files], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((resolve) => first.stderr.on('data', (text: Buffer) => text.includes('worker started') && resolve(undefined)));
  const { code, stderr } = await millrace(['run', '--data', join(folder, 'busy'), ...files]);
  first.kill('SIGTERM');
  assert.equal(code, 2);
  assert.match(stderr, /^error DATA_LOCKED: .*busy is in use by process \d+/m);
  assert.equal(await new Promise((resolve) => first.on('close', resolve)), 0);
});

test('a replica file that another worker holds is refused by name: exit code 1', async () => {
  const files = [file('source.json', source), file('sink4.json', { ...sink, config: { ...sink.config, 'duckdb.file': 'w.duckdb' } })];
  const first = spawn(process.execPath, [program, 'run', '--data', join(folder, 'one'), ...files], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((resolve) => first.stderr.on('data', (text: Buffer) => text.includes('worker started') && resolve(undefined)));
  while ((await millrace(['query', '--data', join(folder, 'one'), 'SELECT 1'])).code !== 0);
  const { code, stderr } = await millrace(['run', '--data', join(folder, 'two'), ...files]);
  first.kill('SIGTERM');
  assert.equal(code, 1);
  assert.match(stderr, /^error WAREHOUSE_LOCKED: .*w\.duckdb/m);
  assert.equal(await new Promise((resolve) => first.on('close', resolve)), 0);
});

test('a data folder or replica that cannot be one is told by name, and not as a fault of ours', async () => {
  const files = [file('source.json', source), file('sink.json', sink)];
  const folderIsFile = await millrace(['run', ...files, '--data', file('no-folder', 'x')]);
  assert.equal(folderIsFile.code, 1);
  assert.match(folderIsFile.stderr, /error FOLDER_UNUSABLE: .*no-folder, the data folder/);
  const noReplica = file('text.duckdb', 'this is not a database, but a text '.repeat(500));
  const damaged = { ...sink, config: { ...sink.config, 'duckdb.file': noReplica } };
  const started = await millrace(['run', file('source.json', source), file('damaged.json', damaged), '--data', 'with-damaged']);
  assert.equal(started.code, 1);
  assert.match(started.stderr, /error WAREHOUSE_FAILED: The replica's file is damaged, or no replica: .*text\.duckdb/);
  assert.match(started.stderr, /next: .*millrace resync --all/);
});

test('the address of the worker is for its user alone, and gone when it has ended', async () => {
  const files = [file('source.json', source), file('sink3.json', { ...sink, config: { ...sink.config, 'duckdb.file': 'z.duckdb' } })];
  const data = join(folder, 'private');
  const child = spawn(process.execPath, [program, 'run', '--data', data, ...files], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve) => child.stderr.on('data', (text: Buffer) => text.includes('worker started') && resolve(undefined)));
  assert.equal(statSync(join(data, 'control.json')).mode & 0o777, 0o600);
  assert.equal(statSync(join(data, 'control.sock')).mode & 0o777, 0o600);
  const { code, stdout } = await millrace(['status', '--data', data, '--json']);
  assert.equal(code, 0);
  const status: unknown = JSON.parse(stdout);
  assert.ok(typeof status === 'object' && status !== null && 'tasks' in status && Array.isArray(status.tasks));
  assert.equal(status.tasks.length, 2);
  const query = await millrace([
    'query',
    '--data',
    data,
    '--json',
    "SELECT 9007199254740993 AS big, NULL AS nothing, 'a\"b' AS text, true AS yes",
  ]);
  assert.equal(query.stdout, '{"big":9007199254740993,"nothing":null,"text":"a\\"b","yes":true}\n');
  const refused = await millrace(['query', '--data', data, 'DROP TABLE x']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error WAREHOUSE_FAILED/);
  child.kill('SIGINT');
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
  assert.ok(!existsSync(join(data, 'control.json')));
});

test('colours are for terminals, and FORCE_COLOR asks for them elsewhere', async () => {
  const plain = await millrace(['status', '--data', 'no-worker']);
  assert.ok(!plain.stderr.includes('\u001b['));
  const forced = await millrace(['status', '--data', 'no-worker'], { FORCE_COLOR: '1' });
  assert.ok(forced.stderr.includes('\u001b[31m'));
  const refused = await millrace(['status', '--data', 'no-worker'], { NO_COLOR: '1' });
  assert.ok(!refused.stderr.includes('\u001b['));
});
