import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConnectHost } from '../../src/cli/connect-host.ts';
import { defaultLogSettings, embeddedLogOptions } from '../../src/cli/log-settings.ts';
import { createRecordReader, type RecordReader } from '../../src/cli/record-reader.ts';
import { readWorkerProperties } from '../../src/config/worker-properties.ts';
import type { SourceState } from '../../src/connect/tasks.ts';
import { needsRecordPath } from '../../src/worker/record-path.ts';
import type { SourcePosition } from '../../src/connect/commit-group.ts';
import type { ConnectorConfig } from '../../src/connect/connector.ts';
import { openEmbeddedLog } from '../../src/log/embedded/open-embedded-log.ts';
import { offsetKey, offsetTopic } from '../../src/log/offset-records.ts';
import type { ConnectorOffsets } from '../../src/worker/connect-service.ts';
import { sideOfBytes, type GoldenRecord } from './golden-record.ts';

/** States as the connector's status has them; without a task null. */
export interface WorkerState {
  readonly connector: string;
  readonly task: string | null;
  readonly trace: string;
}

/** A worker with one source, and what it has written, read from its log as any reader of topics does. */
export interface WorkerUnderTest extends AsyncDisposable {
  /** Makes the connector. */
  start(): Promise<void>;
  /** Each until the status says so. */
  stop(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  restartTask(): Promise<void>;
  state(): WorkerState;
  /** A record of the signal topic: its value. */
  signal(value: string): Promise<void>;
  offsets(): Promise<ConnectorOffsets>;
  /** Key and value of a topic of the worker's own. */
  internalTopic(name: string): Promise<ReadonlyMap<string, string>>;
  /** Every record up to now, in the order of the log. */
  records(): readonly GoldenRecord[];
  /** Of the last group in the log. */
  position(): SourcePosition | undefined;
  /** How many snapshots have been finished, and whether one is under way. */
  snapshots(): Promise<{ readonly done: number; readonly open: boolean }>;
}

const never = new AbortController().signal;
const pollMs = 10;
const deadlineMs = 60_000;

export async function openWorkerUnderTest({ name, config }: ConnectorConfig): Promise<WorkerUnderTest> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-golden-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const isLoud = process.env['MILLRACE_GOLDEN_LOG'] === '1';
  const { service } = opened.use(
    await openConnectHost({
      dataFolder: folder,
      properties: readWorkerProperties({}),
      logging: { level: isLoud ? 'debug' : 'silent', format: 'text', color: false },
    }),
  );
  await service.start();
  const log = opened.use(await openEmbeddedLog(embeddedLogOptions(folder, defaultLogSettings), never));
  const source = config['topic.prefix'] ?? '';
  const records: GoldenRecord[] = [];
  const snapshots = { open: new Set<string>(), done: 0, afterSeq: 0 };
  let reader: RecordReader | undefined;
  let position: SourcePosition | undefined;

  const state = (): WorkerState => {
    const { connector, tasks } = service.status(name);
    return { connector: connector.state, task: tasks[0]?.state ?? null, trace: tasks[0]?.trace ?? connector.trace ?? '' };
  };
  /** A task that has failed is waited for no longer. */
  const settles = async (connector: string, task: string | null): Promise<void> => {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const now = state();
      if (now.connector === connector && (now.task === task || now.task === 'FAILED')) return;
      if (performance.now() > deadline) throw new Error(`${name} is ${now.connector}, ${now.task}, not ${connector}, ${task}`);
      await new Promise((done) => setTimeout(done, pollMs));
    }
  };
  const readOn = (): void => {
    if (log.range(source) === undefined) return;
    reader ??= createRecordReader(log, source);
    reader.readOn(({ topic, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }, offset) => {
      const side = (from: number, to: number): Uint8Array | null => (to < 0 ? null : bytes.subarray(from, to));
      records.push({
        topic,
        partition: 0,
        offset,
        key: sideOfBytes(side(keyStart, keyEnd)),
        value: sideOfBytes(side(valueStart, valueEnd)),
        headers: headers.map((header) => [header.name, header.value === null ? null : Buffer.from(header.value).toString('utf8')]),
      });
    }, never);
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

  const owned = opened.move();
  return {
    async start() {
      await service.create({ name, config }, never);
      await settles('RUNNING', 'RUNNING');
    },
    async stop() {
      await service.stop(name);
      await settles('STOPPED', null);
    },
    async pause() {
      await service.pause(name);
      await settles('PAUSED', 'PAUSED');
    },
    async resume() {
      await service.resume(name);
      await settles('RUNNING', 'RUNNING');
    },
    async restartTask() {
      await service.restart(name, { includeTasks: true, onlyFailed: false });
      await settles('RUNNING', 'RUNNING');
    },
    state,
    async signal(value) {
      const { id, type, data } = JSON.parse(value) as { readonly id?: string; readonly type: string; readonly data: unknown };
      await service.signal(name, { ...(id === undefined ? {} : { id }), type, data: JSON.stringify(data), record: { value } }, never);
    },
    offsets: () => service.offsets(name),
    async internalTopic(topic) {
      if (topic !== offsetTopic) return log.get(topic);
      const { offsets = [] } = await log.loadSource(name, never);
      return new Map(offsets.map(({ partition, offset }) => [offsetKey(name, partition), JSON.stringify(offset)]));
    },
    records() {
      readOn();
      return records;
    },
    position() {
      readOn();
      return position;
    },
    async snapshots() {
      readOn();
      if (needsRecordPath(config)) return firstSnapshot(await log.loadSource(name, never));
      return { done: snapshots.done, open: snapshots.open.size > 0 };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Of a connector whose log has records alone: the offset tells of the first snapshot. */
function firstSnapshot({ offset }: SourceState): { readonly done: number; readonly open: boolean } {
  const open = offset === undefined || 'snapshot' in offset;
  return { done: open ? 0 : 1, open };
}
