import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { sleep } from '../base/abort.ts';
import { messageOf, MillraceError } from '../base/errors.ts';
import { noEvents, noTransactions } from '../connect/commit-group.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { ConnectorProperties, SourceConnector } from '../connect/connector.ts';
import type { Schema } from '../connect/data.ts';
import type { Converter, SerializedRecord } from '../connect/record.ts';
import type { SourceBatch, SourceTask } from '../connect/tasks.ts';

/** What the source needs of the worker: the connector's own converters. */
export interface FileSourceParts {
  readonly converters: (properties: ConnectorProperties) => { readonly key: Converter; readonly value: Converter };
}

export const fileSourceClass = 'org.apache.kafka.connect.file.FileStreamSourceConnector';

const idleMs = 200;
const readBytes = 64 * 1024;
const text: Schema = { type: 'string', optional: false };

/**
 * Kafka's FileStreamSource: each line of a file, as far as it is written, is a record; the offset is the position behind it.
 * The simplest source there is, to try things with. Properties: `file`, `topic`, `batch.size`.
 */
export function createFileSource(parts: FileSourceParts): SourceConnector {
  return {
    kind: 'source',
    classNames: [fileSourceClass],
    async openTask({ connector, properties, state }) {
      const file = properties['file'] ?? '';
      const topic = properties['topic'] ?? '';
      if (file === '' || topic === '') {
        throw new MillraceError('CONFIG_INVALID', `Connector "${connector}" needs file and topic.`, { nextStep: 'Set both.' });
      }
      const stored = (state.offsets ?? []).find(({ partition }) => partition?.['filename'] === file)?.offset['position'];
      return new FileSourceTask({
        source: connector,
        file,
        topic,
        batchSize: Number(properties['batch.size'] ?? 2000),
        position: typeof stored === 'number' ? stored : 0,
        ...parts.converters(properties),
      });
    },
  };
}

interface TaskOptions {
  readonly source: string;
  readonly file: string;
  readonly topic: string;
  readonly batchSize: number;
  readonly position: number;
  readonly key: Converter;
  readonly value: Converter;
}

class FileSourceTask implements SourceTask {
  readonly #options: TaskOptions;
  /** Behind the last line that was handed over. */
  #position: number;
  #handle: FileHandle | undefined;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  async poll(signal: AbortSignal): Promise<SourceBatch> {
    for (;;) {
      signal.throwIfAborted();
      const lines = await this.#readLines();
      if (lines.length > 0) return this.#batch(lines);
      await sleep(idleMs, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
  }

  /** Whole lines behind the position, of one read; a file that is not there yet is waited for, one that was cut begins anew. */
  async #readLines(): Promise<readonly Buffer[]> {
    const { file, batchSize } = this.#options;
    try {
      this.#handle ??= await open(file);
      if ((await stat(file)).size < this.#position) this.#position = 0;
      const lines: Buffer[] = [];
      for (let size = readBytes; ; size *= 2) {
        const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(size), 0, size, this.#position);
        let start = 0;
        for (let end = buffer.indexOf(0x0a); end >= 0 && end < bytesRead && lines.length < batchSize; end = buffer.indexOf(0x0a, start)) {
          lines.push(buffer.subarray(start, end > start && buffer[end - 1] === 0x0d ? end - 1 : end));
          start = end + 1;
        }
        // A line longer than what was read: read more.
        if (start === 0 && bytesRead === size) continue;
        this.#position += start;
        return lines;
      }
    } catch (error) {
      if (isMissing(error)) return [];
      throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} cannot be read: ${messageOf(error)}`, {
        cause: error,
        retriable: true,
      });
    }
  }

  #batch(lines: readonly Buffer[]): SourceBatch {
    const { source, file, topic, key, value } = this.#options;
    const records = lines.map((line): SerializedRecord => ({
      key: key.fromConnect(topic, null, null),
      value: value.fromConnect(topic, text, line.toString('utf8')),
      headers: [],
    }));
    return {
      group: groupOf(source, { file, pos: this.#position, gtids: '' }, { kind: 'records', topic, records }),
      partition: { filename: file },
      offset: { position: this.#position },
      state: [],
    };
  }
}

/** A group of records that belong to no transaction. */
function groupOf(source: string, position: CommitGroup['position'], entry: CommitGroup['entries'][number]): CommitGroup {
  return {
    source,
    seq: 0,
    position,
    open: false,
    file: position.file,
    madeMicros: Date.now() * 1000,
    transactions: noTransactions,
    events: noEvents,
    entries: [entry],
  };
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
