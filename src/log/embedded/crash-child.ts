/*
 * Appends to the log in argv[2] for ever, for the crash tests: group n of each source has n as its position and offset,
 * n records (at most 2,000) and the state record `k${n % 5}` = n. Writes "source n" to stdout when group n is durable.
 * With a third argument it stops at the first error and prints its code; SIGUSR2 makes it go on.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { isMillraceError } from '../../base/errors.ts';
import { insertBatch } from '../sample-batches.ts';
import { openEmbeddedLog } from './open-embedded-log.ts';

const folder = process.argv[2] ?? '';
const stopsAtErrors = process.argv[3] !== undefined;
const limits = { maxBytes: 40e6, retentionMs: 50, retentionBytes: 10e6 };
const { signal } = new AbortController();
await using log = await openEmbeddedLog({ folder, ...limits }, signal);
log.register('sink', ['a', 'b']);
const next = { a: (log.range('a')?.last ?? 0) + 1, b: (log.range('b')?.last ?? 0) + 1 };
for (;;) {
  const source = Math.random() < 0.7 ? 'a' : 'b';
  const n = next[source];
  try {
    await append(source, n);
    next[source]++;
    // not by the stream: what a process has written itself stays written when it is killed
    writeSync(1, `${source} ${n}\n`);
    if (n % 7 === 0) log.acknowledge('sink', source, n - 3);
    if (n % 31 === 0) log.applyRetention();
  } catch (error) {
    if (!stopsAtErrors || !isMillraceError(error)) throw error;
    writeSync(1, `${error.code} ${error.retriable}\n`);
    const goOn = once(process, 'SIGUSR2');
    const alive = setInterval(() => {}, 1000);
    await goOn;
    clearInterval(alive);
  }
}

async function append(source: string, n: number): Promise<void> {
  const batch = insertBatch(
    source,
    `table_${n % 3}`,
    Array.from({ length: Math.min(n, 2000) }, (_, i) => i),
  );
  const group = { ...batch.group, position: { ...batch.group.position, pos: n } };
  const state = [{ topic: 'tables', key: `k${n % 5}`, value: String(n) }];
  await log.append({ group, offset: { n }, state }, { connector: `from-${source}` }, signal);
}
