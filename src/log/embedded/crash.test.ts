import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openEmbeddedLog } from './open-embedded-log.ts';

const program = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const unlimited = { maxBytes: Infinity, retentionMs: Infinity, retentionBytes: Infinity };
const { signal } = new AbortController();

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Numbers from 0 to 1, the same for the same seed. Source: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the child said last of each source. */
function watch(child: ChildProcess): { readonly durable: Map<string, number>; readonly closed: Promise<void>; codes: string[] } {
  assert(child.stdout !== null);
  const durable = new Map<string, number>();
  const codes: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const [word = '', rest = ''] = line.split(' ');
    if (word === word.toUpperCase()) codes.push(line);
    else durable.set(word, Number(rest));
  });
  return { durable, codes, closed: once(lines, 'close').then(() => undefined) };
}

/** Everything that the child's program promises of a log, at least up to what it said was durable. */
async function check(folder: string, durable: ReadonlyMap<string, number>): Promise<void> {
  await using log = await openEmbeddedLog({ ...unlimited, folder }, signal);
  const consumers = log.consumers();
  for (const source of log.sources()) {
    const range = log.range(source);
    assert(range !== undefined);
    assert(range.last >= (durable.get(source) ?? 0), `${source}: ${durable.get(source)} was durable, the log ends with ${range.last}`);
    const acknowledged = consumers.find((one) => one.source === source)?.seq ?? 0;
    assert(range.first <= acknowledged + 1, `${source}: ${range.first} is the first, ${acknowledged} was acknowledged`);
    let seq = range.first - 1;
    while (seq < range.last) {
      for (const group of log.read({ source, afterSeq: seq, maxBytes: 4e6 })) {
        seq++;
        assert.deepEqual([group.source, group.seq, group.position.pos], [source, seq, seq]);
        const [entry] = group.entries;
        assert(entry?.kind === 'changes');
        assert.equal(entry.batch.count, Math.min(seq, 2000));
        assert.equal(entry.batch.schema.table, `table_${seq % 3}`);
      }
    }
    if (range.last === 0) continue;
    const connector = await log.loadSource(`from-${source}`, signal);
    assert.deepEqual(connector.offset, { n: range.last });
    const state = new Map<string, string>();
    const records = new Map<string, number>();
    for (let n = 1; n <= range.last; n++) {
      state.set(`k${n % 5}`, String(n));
      const table = `table_${n % 3}`;
      records.set(table, (records.get(table) ?? 0) + Math.min(n, 2000));
    }
    assert.deepEqual(connector.state('tables'), state);
    const topics = log.topics().filter((topic) => topic.source === source);
    assert.deepEqual(new Map(topics.map((topic) => [topic.table, topic.nextOffset])), records);
  }
}

test('a process killed at any moment leaves whole groups, their offset and their state, and the next one goes on', async (t) => {
  const rounds = Number(process.env['MILLRACE_KILL_ROUNDS'] ?? 25);
  const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const random = randomFrom(seed);
  const folder = temporaryFolder(t);
  let groups = 0;
  for (let round = 1; round <= rounds; round++) {
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { durable, closed } = watch(child);
    assert(child.stdout !== null);
    await once(child.stdout, 'data');
    await delay(random() * 120);
    child.kill('SIGKILL');
    await Promise.all([once(child, 'exit'), closed]);
    await check(folder, durable);
    const end = Math.max(...durable.values());
    assert(end > 0);
    groups = Math.max(groups, end);
  }
  t.diagnostic(`${rounds} kills, ${groups} groups`);
});

test('a full disk gives DISK_FULL, loses nothing, and the log goes on when there is room', async (t) => {
  const folder = temporaryFolder(t);
  // a file system of 24 MiB that only the child sees
  const mount = `mount -t tmpfs -o size=24m tmpfs ${folder}`;
  const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
  const probe = spawnSync('unshare', [...unshare, mount]);
  if (probe.status !== 0) {
    t.skip(`no file system of our own can be mounted here: ${String(probe.stderr ?? probe.error)}`);
    return;
  }
  const script = `${mount} && dd if=/dev/zero of=${folder}/ballast bs=1M count=8 2>/dev/null && exec "$@"`;
  const log = join(folder, 'log');
  const child = spawn('unshare', [...unshare, script, 'sh', process.execPath, program, log, 'stops'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const { durable, codes } = watch(child);
  while (codes.length === 0) await delay(20);
  assert.deepEqual(codes, ['DISK_FULL true']);
  const before = new Map(durable);
  assert(child.pid !== undefined);
  // through the child's view of the file system
  rmSync(`/proc/${child.pid}/root${folder}/ballast`);
  child.kill('SIGUSR2');
  while (codes.length === 1 && (durable.get('a') ?? 0) < (before.get('a') ?? 0) + 20) await delay(20);
  assert.deepEqual(codes, ['DISK_FULL true']);
  // as if it was killed here, which would take its file system away
  const durableNow = new Map(durable);
  child.kill('SIGSTOP');
  const copy = temporaryFolder(t);
  cpSync(`/proc/${child.pid}/root${log}`, copy, { recursive: true });
  await check(copy, durableNow);
});
