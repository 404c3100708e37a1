import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConnectors } from '../../src/cli/connectors.ts';
import { defaultLogSettings, embeddedLogOptions } from '../../src/cli/log-settings.ts';
import { createRecordReader, type RecordReader } from '../../src/cli/record-reader.ts';
import { startWorker, type RunningWorker } from '../../src/cli/worker.ts';
import type { SourcePosition } from '../../src/connect/commit-group.ts';
import type { ConnectorConfig } from '../../src/connect/connector.ts';
import { openEmbeddedLog, type EmbeddedLog } from '../../src/log/embedded/open-embedded-log.ts';
import { sideOfBytes, type GoldenRecord } from './golden-record.ts';

/** States and, of a failed task, why. */
export interface WorkerState {
  readonly connector: string;
  readonly task: string | null;
  readonly trace: string;
}

/** A worker with one source, and what it has written, read from its log. */
export interface WorkerUnderTest extends AsyncDisposable {
  start(): Promise<void>;
  stop(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  restartTask(): Promise<void>;
  state(): WorkerState;
  /** Every record up to now, in the order of the log. */
  records(): readonly GoldenRecord[];
  /** Of the last group in the log. */
  position(): SourcePosition | undefined;
  /** How many snapshots have been finished, and whether one is under way. */
  snapshots(): { readonly done: number; readonly open: boolean };
}

/** The connector is made by `start`; its folder goes with it. */
export async function openWorkerUnderTest(connector: ConnectorConfig): Promise<WorkerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-golden-'));
  const connectors = checkConnectors([connector]);
  const source = connector.config['topic.prefix'] ?? '';
  let worker: RunningWorker | undefined;
  let log: EmbeddedLog | undefined;
  let reader: RecordReader | undefined;
  const records: GoldenRecord[] = [];
  const snapshots = { open: new Set<string>(), done: 0, afterSeq: 0 };
  let position: SourcePosition | undefined;
  let paused = false;

  const start = async (): Promise<void> => {
    paused = false;
    worker = await startWorker({
      connectors,
      dataFolder: folder,
      logging: { level: process.env['MILLRACE_GOLDEN_LOG'] === '1' ? 'debug' : 'silent', format: 'text', color: false },
      logSettings: defaultLogSettings,
    });
    log ??= await openEmbeddedLog(embeddedLogOptions(folder, defaultLogSettings), new AbortController().signal);
  };
  const stop = async (): Promise<void> => {
    await worker?.stop();
    worker = undefined;
  };
  const readOn = (): void => {
    if (log?.range(source) === undefined) return;
    reader ??= createRecordReader(log, source);
    reader.readOn(({ topic, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }, offset) => {
      const side = (from: number, to: number): Uint8Array | null => (to < 0 ? null : bytes.subarray(from, to));
      records.push({
        topic,
        partition: 0,
        offset,
        key: sideOfBytes(side(keyStart, keyEnd)),
        value: sideOfBytes(side(valueStart, valueEnd)),
        headers: headers.map(({ name, value }) => [name, value === null ? null : Buffer.from(value).toString('utf8')]),
      });
    }, new AbortController().signal);
    for (;;) {
      const groups = log.read({ source, afterSeq: snapshots.afterSeq, maxBytes: 1 << 20 });
      if (groups.length === 0) return;
      for (const group of groups) {
        snapshots.afterSeq = group.seq;
        position = group.position;
        for (const entry of group.entries) {
          if (entry.kind === 'snapshotBegin') snapshots.open.add(entry.snapshot);
          if (entry.kind === 'snapshotEnd' && snapshots.open.delete(entry.snapshot)) snapshots.done++;
        }
      }
    }
  };

  return {
    start,
    stop,
    async pause() {
      await stop();
      paused = true;
    },
    resume: start,
    async restartTask() {
      await stop();
      await start();
    },
    state() {
      if (worker === undefined) return { connector: paused ? 'PAUSED' : 'STOPPED', task: paused ? 'PAUSED' : null, trace: '' };
      const task = worker.herder.tasks().find((each) => each.connector === connector.name);
      const error = worker.herder.sourceMetrics().find((each) => each.connector === connector.name)?.error;
      return { connector: 'RUNNING', task: task?.state ?? null, trace: error === undefined ? '' : `${error.code}: ${error.message}` };
    },
    records() {
      readOn();
      return records;
    },
    position() {
      readOn();
      return position;
    },
    snapshots() {
      readOn();
      return { done: snapshots.done, open: snapshots.open.size > 0 };
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await log?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
