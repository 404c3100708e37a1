/* The reading thread of `log.ts`: reads to the end at each message, as the warehouse thread does, and acknowledges. */
import { parentPort, workerData } from 'node:worker_threads';
import { openEmbeddedLog } from '../src/log/embedded/open-embedded-log.ts';

const given: unknown = workerData;
if (!Array.isArray(given)) throw new Error('started by log.ts only');
const folder = String(given[0]);
const groups = Number(given[1]);
const log = await openEmbeddedLog(
  { folder, maxBytes: 20e9, retentionMs: Infinity, retentionBytes: Infinity },
  new AbortController().signal,
);
let seq = 0;
let readMs = 0;
let mostAcknowledgeMs = 0;
let checksum = 0;

parentPort?.on('message', () => {
  for (;;) {
    const start = performance.now();
    const read = log.read({ source: 'shop', afterSeq: seq, maxBytes: 2_000_000 });
    readMs += performance.now() - start;
    if (read.length === 0) return;
    for (const group of read) {
      for (const entry of group.entries) if (entry.kind === 'changes') checksum += entry.batch.bytes[entry.batch.bytes.length - 1] ?? 0;
    }
    seq += read.length;
    const begin = performance.now();
    log.acknowledge('sink', 'shop', seq);
    mostAcknowledgeMs = Math.max(mostAcknowledgeMs, performance.now() - begin);
    if (seq === groups) {
      parentPort?.postMessage({ readMs: Math.round(readMs), mostAcknowledgeMs: Number(mostAcknowledgeMs.toFixed(2)), checksum });
    }
  }
});
