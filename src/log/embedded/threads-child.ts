/* Appends as many groups as workerData says, in a thread, for the test of threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { insertBatch } from '../sample-batches.ts';
import { openEmbeddedLog } from './open-embedded-log.ts';

const given: unknown = workerData;
const parts: readonly unknown[] = Array.isArray(given) ? given : [];
const [folder, source, count] = parts;
const { signal } = new AbortController();
const limits = { maxBytes: 4e6, retentionMs: Infinity, retentionBytes: Infinity };
await using log = await openEmbeddedLog({ folder: String(folder), ...limits }, signal);
const ids = Array.from({ length: 1000 }, (_, id) => id);
for (let n = 1; n <= Number(count); n++) {
  await log.append({ ...insertBatch(String(source), 'orders', ids), offset: { n } }, { connector: String(source) }, signal);
  parentPort?.postMessage(n);
}
