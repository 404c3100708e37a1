import { sleep } from '../base/abort.ts';
import { createBackoff } from '../base/backoff.ts';
import { isMillraceError, messageOf, MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { createConnectRecordReader } from '../codec/connect-record.ts';
import type { ConnectRecordReader } from '../codec/connect-record.ts';
import { converterOf, convertsAsRendered, headerConverterOf } from '../codec/converters.ts';
import type { DebeziumOptions } from '../codec/debezium-options.ts';
import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ConnectorProperties } from '../connect/connector.ts';
import { stretchesInEventOrder } from '../connect/event-order.ts';
import { loadMarkOf } from '../connect/load-mark.ts';
import { javaText } from '../connect/java-text.ts';
import type { ConnectHeader, ConnectRecord, Converter, HeaderConverter, SerializedHeader, SerializedRecord } from '../connect/record.ts';
import { applyTransformations, hasTransformations, openTransformations } from '../transform/transformation-chain.ts';
import type { TransformationStage } from '../transform/transformation-chain.ts';
import { readErrorHandling } from './error-handling.ts';
import type { ErrorHandling } from './error-handling.ts';

export interface RecordPathOptions {
  /** The connector's name. */
  readonly connector: string;
  readonly properties: ConnectorProperties;
  /** Of a Debezium connector: the form of its records. */
  readonly debezium: DebeziumOptions | undefined;
  readonly log: Logger;
}

/** Turns a source's groups into records before they are appended: transformed, and as the connector's converters write them. */
export interface RecordPath {
  /**
   * The same group with `records` entries in the place of rows, DDL statements and snapshots; of those the marks stay.
   * @throws TRANSFORMATION_FAILED, CONVERSION_FAILED when errors are not tolerated
   */
  convert(group: CommitGroup, signal: AbortSignal): Promise<CommitGroup>;
  readonly counts: RecordCounts;
}

export interface RecordCounts {
  readonly sent: number;
  /** By transformations. */
  readonly dropped: number;
  /** Left out under `errors.tolerance=all`. */
  readonly failed: number;
}

/**
 * Whether a Debezium connector's records are made before they are appended. All others keep rows in the log, which cost a
 * tenth.
 */
export function needsRecordPath(properties: ConnectorProperties): boolean {
  return hasTransformations(properties) || !convertsAsRendered(properties);
}

/** Undefined: the connector does not need it. @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
export function openRecordPath(options: RecordPathOptions): RecordPath | undefined {
  const { properties, debezium } = options;
  // other sources have used their converters themselves
  const needed = debezium === undefined ? hasTransformations(properties) : needsRecordPath(properties);
  return needed ? new SourceRecordPath(options) : undefined;
}

/** A record and the transaction that it belongs to. */
interface Sourced {
  readonly record: ConnectRecord;
  readonly transaction: number | undefined;
}

interface MadeRecord {
  readonly topic: string;
  readonly record: SerializedRecord;
}

/** A record that could not be made. */
class Fault {
  readonly sourced: Sourced;
  readonly error: unknown;

  constructor(sourced: Sourced, error: unknown) {
    this.sourced = sourced;
    this.error = error;
  }
}

const firstRetryMs = 300;

class SourceRecordPath implements RecordPath {
  readonly counts = { sent: 0, dropped: 0, failed: 0 };
  readonly #options: RecordPathOptions;
  readonly #reader: ConnectRecordReader | undefined;
  readonly #stages: readonly TransformationStage[];
  readonly #keys: Converter;
  readonly #values: Converter;
  readonly #headers: HeaderConverter;
  readonly #handling: ErrorHandling;
  /** Records that have the same headers share the array of them. */
  readonly #serializedHeaders = new WeakMap<readonly ConnectHeader[], readonly SerializedHeader[]>();

  constructor(options: RecordPathOptions) {
    const { properties, debezium } = options;
    this.#options = options;
    this.#reader = debezium === undefined ? undefined : createConnectRecordReader(debezium);
    this.#stages = openTransformations(properties);
    this.#keys = converterOf('key', properties);
    this.#values = converterOf('value', properties);
    this.#headers = headerConverterOf(properties);
    this.#handling = readErrorHandling(properties);
  }

  async convert(group: CommitGroup, signal: AbortSignal): Promise<CommitGroup> {
    const entries: Entry[] = [];
    for (const stretch of stretchesInEventOrder(group.entries)) {
      // a topic has its records in their order; between two topics there is none
      const topics = new Map<string, SerializedRecord[]>();
      const close = (): void => {
        for (const [topic, records] of topics) entries.push({ kind: 'records', topic, records, ...(isTold && { told: true }) });
        topics.clear();
      };
      let isTold = false;
      for (const entry of stretch) {
        if (isTold !== (entry.kind === 'told')) close();
        isTold = entry.kind === 'told';
        for (const once of this.#makeAll(group, entry)) {
          const made = once instanceof Fault ? await this.#afterFault(once, signal) : once;
          if (made === null) continue;
          this.counts.sent++;
          const known = topics.get(made.topic);
          if (known === undefined) topics.set(made.topic, [made.record]);
          else known.push(made.record);
        }
      }
      close();
      entries.push(...stretch.flatMap((entry) => loadMarkOf(entry) ?? []));
    }
    return { ...group, entries };
  }

  /** Each record is made as soon as it is read: only its bytes outlive it. */
  #makeAll(group: CommitGroup, entry: Entry): readonly (MadeRecord | Fault)[] {
    const results: (MadeRecord | Fault)[] = [];
    const make = (sourced: Sourced): void => {
      const made = this.#attempt(sourced);
      if (made !== null) results.push(made);
    };
    if (entry.kind === 'records') for (const record of entry.records) make(this.#reread(entry.topic, record));
    else {
      this.#reader?.read(group, entry, {
        record: (record, transaction) => make({ record, transaction }),
        raw: (topic, record) => void results.push({ topic, record }),
      });
    }
    return results;
  }

  /** A record that the source has converted itself. */
  #reread(topic: string, { key, value, headers, timestamp, transaction }: SerializedRecord): Sourced {
    const readKey = this.#keys.toConnect(topic, key);
    const readValue = this.#values.toConnect(topic, value);
    const record: ConnectRecord = {
      topic,
      partition: null,
      keySchema: key === null ? null : readKey.schema,
      key: readKey.value,
      valueSchema: value === null ? null : readValue.schema,
      value: readValue.value,
      timestamp: timestamp ?? null,
      headers: headers.map((header) => this.#headers.toConnect(topic, header.name, header.value)),
    };
    return { record, transaction };
  }

  /** Null: a transformation dropped it. */
  #attempt(sourced: Sourced): MadeRecord | null | Fault {
    try {
      const made = this.#make(sourced);
      if (made === null) this.counts.dropped++;
      return made;
    } catch (error) {
      return new Fault(sourced, error);
    }
  }

  /** Tries again what may pass, then fails or goes on without the record, as `errors.*` say. Null: without it. */
  async #afterFault({ sourced, error: first }: Fault, signal: AbortSignal): Promise<MadeRecord | null> {
    const { retryTimeoutMs, retryDelayMaxMs, tolerates } = this.#handling;
    const backoff = createBackoff({ firstMs: firstRetryMs, maxMs: retryDelayMaxMs });
    const endMs = retryTimeoutMs < 0 ? Infinity : performance.now() + retryTimeoutMs;
    let error = first;
    while (isMillraceError(error) && error.retriable && performance.now() < endMs) {
      await sleep(Math.min(backoff.next(), endMs - performance.now()), signal);
      const made = this.#attempt(sourced);
      if (!(made instanceof Fault)) return made;
      ({ error } = made);
    }
    this.#report(sourced.record, error);
    if (!tolerates) throw error;
    this.counts.failed++;
    return null;
  }

  #report(record: ConnectRecord, error: unknown): void {
    if (!this.#handling.logs) return;
    const { connector, log } = this.#options;
    const shown = this.#handling.logsRecords
      ? { key: javaText(record.keySchema, record.key), value: javaText(record.valueSchema, record.value) }
      : {};
    log.error({ connector, topic: record.topic, err: error, ...shown }, 'a record cannot be handled');
  }

  /** Null: a transformation dropped it. */
  #make({ record: source, transaction }: Sourced): MadeRecord | null {
    const record = applyTransformations(this.#stages, source);
    if (record === null) return null;
    const { topic, keySchema, key, valueSchema, value, timestamp } = record;
    const converted = {
      key: converting('key.converter', topic, () => this.#keys.fromConnect(topic, keySchema, key)),
      value: converting('value.converter', topic, () => this.#values.fromConnect(topic, valueSchema, value)),
      headers: this.#headersOf(record),
      ...(timestamp === null ? {} : { timestamp }),
      ...(transaction === undefined ? {} : { transaction }),
    };
    return { topic, record: converted };
  }

  #headersOf({ topic, headers }: ConnectRecord): readonly SerializedHeader[] {
    let known = this.#serializedHeaders.get(headers);
    if (known === undefined) {
      known = headers.map((header) => ({
        name: header.name,
        value: converting('header.converter', topic, () => this.#headers.fromConnect(topic, header)),
      }));
      this.#serializedHeaders.set(headers, known);
    }
    return known;
  }
}

function converting<Result>(property: string, topic: string, convert: () => Result): Result {
  try {
    return convert();
  } catch (cause) {
    throw new MillraceError('CONVERSION_FAILED', `${property} cannot convert a record of the topic ${topic}: ${messageOf(cause)}`, {
      cause,
      context: { topic, converter: property },
    });
  }
}
