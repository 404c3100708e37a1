import { appendFileSync, fsyncSync, openSync, closeSync } from 'node:fs';
import { messageOf, MillraceError } from '../base/errors.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { ConnectorProperties, SinkConnector } from '../connect/connector.ts';
import type { ConnectValue } from '../connect/data.ts';
import type { ConnectRecord } from '../connect/record.ts';
import type { CutRequest, SinkOffset, SinkTask } from '../connect/tasks.ts';

/** What the sink needs of the worker. */
export interface FileSinkParts {
  /** The records of its topics, converted and transformed, those of tables rendered. */
  readonly intake: (connector: string, properties: ConnectorProperties) => FileSinkIntake;
  /** A value as Java prints it. */
  readonly textOf: (value: ConnectValue) => string;
  /** What this sink has acknowledged to the log. */
  readonly committed: (connector: string) => readonly SinkOffset[];
}

export interface FileSinkIntake {
  open(signal: AbortSignal): Promise<void>;
  take(group: CommitGroup, signal: AbortSignal): Promise<readonly ConnectRecord[]>;
}

export const fileSinkClass = 'org.apache.kafka.connect.file.FileStreamSinkConnector';

/**
 * Kafka's FileStreamSink: the value of each record is a line of a file, or of the standard output. At least once: lines
 * that were written before a crash and not acknowledged are written again. Property: `file`.
 */
export function createFileSink(parts: FileSinkParts): SinkConnector {
  return {
    kind: 'sink',
    classNames: [fileSinkClass],
    async openTask({ connector, properties }) {
      return openFileSinkTask(parts, connector, properties);
    },
  };
}

/** Its name, for those that do not open it. */
export const fileSinkConnector: SinkConnector = {
  kind: 'sink',
  classNames: [fileSinkClass],
  openTask() {
    throw new MillraceError('INTERNAL', 'A file sink is opened in a thread of its own.');
  },
};

function openFileSinkTask(parts: FileSinkParts, connector: string, properties: ConnectorProperties): SinkTask {
  const file = properties['file'];
  const descriptor = file === undefined || file === '' ? undefined : openForAppend(file);
  const intake = parts.intake(connector, properties);
  const offsets = new Map<string, SinkOffset>();
  const durable = new Map<string, SinkOffset>();
  let logId = '';
  const refuse = (): never => {
    throw new MillraceError('WORKER_REFUSED', 'A file sink has no positions to cut at.');
  };
  return {
    async open(id, signal) {
      logId = id;
      await intake.open(signal);
      for (const offset of parts.committed(connector)) durable.set(offset.source, offset);
      return [...durable.values()];
    },
    async put(group, signal) {
      const records = await intake.take(group, signal);
      const lines = records.map(({ value }) => `${parts.textOf(value)}\n`);
      if (lines.length > 0) appendFileSync(descriptor ?? 1, lines.join(''));
      offsets.set(group.source, { source: group.source, logId, seq: group.seq, applied: 0, position: group.position, committedMs: 0 });
    },
    async flush() {
      if (descriptor !== undefined) fsyncSync(descriptor);
      for (const [source, offset] of offsets) durable.set(source, offset);
      offsets.clear();
      return [...durable.values()];
    },
    committed: () => [...durable.values()],
    pending: () => offsets.size > 0,
    cutAt: <T>(_cut: CutRequest, _pinned: () => Promise<T>): Promise<T> => refuse(),
    async [Symbol.asyncDispose]() {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

function openForAppend(file: string): number {
  try {
    return openSync(file, 'a');
  } catch (cause) {
    throw new MillraceError('WAREHOUSE_FAILED', `Couldn't find or create file '${file}' for FileStreamSinkTask: ${messageOf(cause)}`, {
      cause,
      nextStep: 'Make its folder, or let the worker write there.',
    });
  }
}
