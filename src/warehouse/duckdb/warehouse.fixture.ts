import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../base/logger.ts';
import type { SinkTask } from '../../connect/tasks.ts';
import { createSinkTask, type SinkTaskOptions } from '../sink-task.ts';
import { createNaming, defaultNameFormat } from '../replica-names.ts';
import type { InvalidTemporal } from '../table-record.ts';
import { defaultReplicaOptions, openDuckDbReplica, type Replica } from './replica.ts';

export interface WarehouseOptions {
  readonly file: string;
  readonly connector: string;
  readonly logId: string;
  readonly nameFormat: string;
  readonly nameMap: string;
  readonly invalidTemporal: InvalidTemporal;
  readonly task: Partial<SinkTaskOptions>;
}

/** A replica in a folder of its own (unless a file is given), with one open sink task. */
export interface TestWarehouse extends AsyncDisposable {
  readonly file: string;
  readonly replica: Replica;
  readonly task: SinkTask;
  readonly resync: { readonly table: string; readonly reason: string }[];
  openTask(options?: Partial<WarehouseOptions>): Promise<SinkTask>;
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export async function openWarehouse(options: Partial<WarehouseOptions> = {}): Promise<TestWarehouse> {
  const signal = new AbortController().signal;
  const folder = options.file === undefined ? mkdtempSync(join(tmpdir(), 'millrace-replica-')) : undefined;
  const file = options.file ?? join(folder ?? '', 'shop.duckdb');
  const replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
  const resync: { table: string; reason: string }[] = [];
  const tasks: SinkTask[] = [];
  const openTask = async (more: Partial<WarehouseOptions> = {}): Promise<SinkTask> => {
    const all = { ...options, ...more };
    const connector = all.connector ?? 'sink';
    const naming = createNaming({ format: all.nameFormat ?? defaultNameFormat, map: all.nameMap ?? '' });
    const task = createSinkTask({
      connector,
      store: replica.openSink({ connector, naming, invalidTemporal: all.invalidTemporal ?? 'null', log: silentLogger }),
      takes: () => true,
      flushRows: 100_000,
      flushBytes: 64 << 20,
      log: silentLogger,
      onResync: (_source, table, reason) => resync.push({ table, reason }),
      ...all.task,
    });
    tasks.push(task);
    await task.open(all.logId ?? 'log-1', signal);
    return task;
  };
  const task = await openTask();
  return {
    file,
    replica,
    task,
    resync,
    openTask,
    rows: async (sql) => (await replica.query(sql, { maxRows: 1_000_000 }, signal)).rows,
    async [Symbol.asyncDispose]() {
      for (const each of tasks) await each[Symbol.asyncDispose]();
      await replica[Symbol.asyncDispose]();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
