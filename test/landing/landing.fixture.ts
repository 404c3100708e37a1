import { createConnectRecordReader } from '../../src/codec/connect-record.ts';
import { debeziumOptions, type DebeziumOptions } from '../../src/codec/debezium-options.ts';
import { emptiedBy } from '../../src/cli/landing-intake.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { CommitGroup } from '../../src/connect/commit-group.ts';
import type { SinkTask } from '../../src/connect/tasks.ts';
import { Scratch } from '../../src/warehouse/duckdb/scratch.ts';
import { createNaming, defaultNameFormat } from '../../src/warehouse/replica-names.ts';
import { createSnowflakeNaming, ownIdentifier } from '../../src/warehouse/snowflake/identifiers.ts';
import { createPlainFormat, type FormatOptions } from '../../src/warehouse/snowflake/landing/landing-format.ts';
import {
  createLandingTask,
  type LandingTaskOptions,
  type LandingIntake,
  type TopicEmptied,
  type TopicRecord,
} from '../../src/warehouse/snowflake/landing/landing-task.ts';
import { LandingWarehouse } from '../../src/warehouse/snowflake/landing/landing-warehouse.ts';
import { createSchematizedFormat } from '../../src/warehouse/snowflake/landing/schematized-format.ts';
import { createTopicTables } from '../../src/warehouse/snowflake/landing/topic-tables.ts';
import { openSnowflakeSession, type SnowflakeSession } from '../../src/warehouse/snowflake/session.ts';
import type { SnowflakeAccount } from '../../src/warehouse/snowflake/snowflake.fixture.ts';
import type { StreamingClient } from '../../src/warehouse/snowflake/streaming/streaming-client.ts';
import { StreamingIngest } from '../../src/warehouse/snowflake/streaming/streaming-ingest.ts';
import { SnowflakeStore } from '../../src/warehouse/snowflake/store.ts';

export const never = new AbortController().signal;
export const landingSchema = 'LANDING';

export const metadata = {
  all: true,
  createTime: true,
  topic: true,
  offsetAndPartition: true,
  pushTime: undefined,
  structuredHeaders: false,
  version: 4,
} as const;

/** Renders groups of rows as Debezium does, and counts offsets by topic. */
export function createTestIntake(given: Partial<DebeziumOptions> = {}): LandingIntake {
  const options = debeziumOptions({ connector: 'mysql', topicPrefix: 'src', schemaChanges: false, ...given });
  const reader = createConnectRecordReader(options);
  const known = new Map<number, readonly (TopicRecord | TopicEmptied)[]>();
  const next = new Map<string, number>();
  const take = (group: CommitGroup): readonly (TopicRecord | TopicEmptied)[] => {
    let records = known.get(group.seq);
    if (records !== undefined) return records;
    const made: (TopicRecord | TopicEmptied)[] = [];
    for (const entry of group.entries) {
      if (entry.kind === 'schema') made.push(...emptiedBy(group, entry, options));
      reader.read(group, entry, {
        record(record) {
          const offset = next.get(record.topic) ?? 0;
          next.set(record.topic, offset + 1);
          made.push({ kind: 'record', record, offset });
        },
        raw: () => undefined,
      });
    }
    records = made;
    known.set(group.seq, records);
    return records;
  };
  return { open: () => Promise.resolve(), take: (group) => Promise.resolve(take(group)) };
}

export interface TestLanding extends AsyncDisposable {
  readonly task: SinkTask;
  readonly session: SnowflakeSession;
  /** Rows of a query, in the order of their texts. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Puts groups and flushes. */
  take(...groups: readonly CommitGroup[]): Promise<void>;
  /** As after a crash: what was not committed is gone. */
  reopen(options?: Partial<LandingOptions>): Promise<void>;
}

export interface LandingOptions extends Partial<Omit<LandingTaskOptions, 'connector' | 'warehouse' | 'log'>> {
  readonly connector: string;
  readonly map: string;
  readonly runner: 'millrace' | 'task' | 'triggered.task' | 'dynamic.table';
  readonly table: boolean;
  readonly mergeMs: number;
  readonly schematized: boolean;
  /** With a client: rows go through Snowpipe Streaming. */
  readonly streaming: StreamingClient;
  readonly tolerates: boolean;
}

/** A sink of landing tables on an empty database. */
export async function openTestLanding(account: SnowflakeAccount, given: Partial<LandingOptions> = {}): Promise<TestLanding> {
  const { database } = account;
  const openSession = (): Promise<SnowflakeSession> =>
    openSnowflakeSession(account.driver, { connection: { ...account.connection, database }, lockTimeoutSeconds: 20 }, never);
  const session = await openSession();
  await session.run(`CREATE SCHEMA IF NOT EXISTS "${landingSchema}"`);
  const intake = createTestIntake();
  let options = given;
  const open = async (): Promise<SinkTask> => {
    const { connector = 'landing', schematized = false, streaming: client } = options;
    let ingest: StreamingIngest | undefined;
    const columnOf = (field: string): string => field.toUpperCase();
    const form: FormatOptions = {
      database,
      schema: landingSchema,
      tableOf: createTopicTables({ map: options.map ?? '', replacesGroups: false, sanitizes: true }),
      metadata,
      ignoresNulls: false,
    };
    const scratch = await Scratch.open({ parent: undefined, memoryLimit: '200MB', threads: 2 });
    const naming = createSnowflakeNaming(createNaming({ format: defaultNameFormat, map: '' }), 'upper');
    const store = await SnowflakeStore.open({
      sink: {
        connector,
        log: silentLogger,
        naming,
        invalidTemporal: 'null',
        database,
        ownSchema: landingSchema,
        prefix: ownIdentifier(connector),
        letters: 'upper',
        json: 'VARIANT',
        transient: false,
      },
      scratch,
      sessions: 2,
      openSession,
    });
    const task = createLandingTask({
      connector,
      warehouse: new LandingWarehouse({
        store,
        creates: true,
        schematized,
        streaming:
          client === undefined
            ? undefined
            : (logId) =>
                (ingest ??= new StreamingIngest({
                  client,
                  logId,
                  prefix: ownIdentifier(connector),
                  tolerates: options.tolerates ?? false,
                  log: silentLogger,
                })),
      }),
      intake,
      takes: () => true,
      format: schematized ? createSchematizedFormat({ ...form, columnOf }) : createPlainFormat(form),
      replicas: {
        schematized,
        version: 4,
        letters: 'upper',
        naming,
        form: { runner: options.runner ?? 'millrace', table: options.table ?? false, warehouse: 'COMPUTE_WH', schedule: '1 MINUTE' },
        columnOf,
        mergeMs: (options.runner ?? 'millrace') === 'millrace' ? (options.mergeMs ?? 0) : undefined,
      },
      limits: { flushMs: 0, rows: 100_000, bytes: 64 << 20 },
      log: silentLogger,
      ...options,
    });
    await task.open('log-1', never);
    return task;
  };
  let task = await open();
  return {
    get task() {
      return task;
    },
    session,
    async rows(sql) {
      const { rows } = await session.run(sql);
      return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    },
    async take(...groups) {
      for (const group of groups) await task.put(group, never);
      await task.flush(never);
    },
    async reopen(more = {}) {
      options = { ...options, ...more };
      await task[Symbol.asyncDispose]();
      task = await open();
    },
    async [Symbol.asyncDispose]() {
      await task[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
    },
  };
}
