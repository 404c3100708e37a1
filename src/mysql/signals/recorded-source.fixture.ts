/** A source whose batches a test takes one by one, as a log would, and what it has handed out so far. */
import assert from 'node:assert/strict';
import type { Logger } from '../../base/logger.ts';
import type { Entry, SnapshotNotification } from '../../connect/commit-group.ts';
import type { SourceBatch, SourceState, SourceTask } from '../../connect/tasks.ts';
import type { ChangeBatch } from '../../event/change-batch.ts';
import { op } from '../../event/change-batch.ts';
import { imageTexts, never } from '../snapshot.fixture.ts';
import type { SourceConfig } from '../source-config.ts';
import { openSourceTask } from '../source-task.ts';

export interface RecordedRow {
  /** `told`: topics alone take it. */
  readonly how: 'changes' | 'told' | 'chunk';
  readonly op: keyof typeof op;
  readonly table: string;
  readonly cells: readonly (string | null | undefined)[];
}

export interface RecordedOptions {
  readonly config: SourceConfig;
  readonly keepsTables?: boolean;
}

export class RecordedSource implements AsyncDisposable {
  readonly rows: RecordedRow[] = [];
  readonly notices: SnapshotNotification[] = [];
  /** Records of topics that are no tables. */
  readonly records: { readonly topic: string; readonly key: string; readonly value: string }[] = [];
  readonly kinds: Entry['kind'][] = [];
  /** Batches that were taken. */
  batches = 0;
  /** Messages of warnings and of information. */
  readonly said: string[] = [];
  readonly #options: RecordedOptions;
  readonly #state = new Map<string, Map<string, string>>();
  #offset: Readonly<Record<string, unknown>> | undefined;
  #task: SourceTask | undefined;

  constructor(options: RecordedOptions) {
    this.#options = options;
  }

  async start(config = this.#options.config): Promise<SourceTask> {
    const state: SourceState = { offset: this.#offset, state: (topic) => new Map(this.#state.get(topic)) };
    const keepsTables = this.#options.keepsTables ?? false;
    this.#task = await openSourceTask({ config, state, log: this.#logger(), keepsTables: () => keepsTables }, never);
    return this.#task;
  }

  get task(): SourceTask {
    assert.ok(this.#task !== undefined, 'the source is not started');
    return this.#task;
  }

  get offset(): Readonly<Record<string, unknown>> | undefined {
    return this.#offset;
  }

  /** Ends the task as a kill does: what was polled and is not taken is lost. */
  async kill(): Promise<void> {
    await this.#task?.[Symbol.asyncDispose]();
    this.#task = undefined;
  }

  /** As if its records of a compacted topic had been lost. */
  forget(topic: string): void {
    this.#state.delete(topic);
  }

  /** Takes batches until the condition holds. */
  async until(what: string, condition: () => boolean, deadlineMs = 20_000): Promise<void> {
    const deadline = AbortSignal.timeout(deadlineMs);
    while (!condition()) {
      try {
        this.#take(await this.task.poll(deadline));
      } catch (error) {
        assert.ok(
          !deadline.aborted,
          `${what}: not within ${deadlineMs} ms; ${JSON.stringify(this.notices.slice(-3))} ${this.said.slice(-5).join('; ')}`,
        );
        throw error;
      }
      await this.task.commit?.(never);
    }
  }

  /** Takes what comes in that time. */
  async during(ms: number): Promise<void> {
    const end = Date.now() + ms;
    await this.until('time passes', () => Date.now() >= end);
  }

  rowsOf(table: string): readonly RecordedRow[] {
    return this.rows.filter((row) => row.table === table);
  }

  /** Types of notices of one aggregate, with the status or the table where there is one. */
  noticesOf(aggregate: string): readonly string[] {
    return this.notices
      .filter((notice) => notice.aggregate === aggregate)
      .map(({ type, data }) => [type, new Map(data).get('status')].filter((part) => part !== undefined).join(' '));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #take({ group, offset, state }: SourceBatch): void {
    this.batches++;
    this.#offset = structuredClone(offset);
    for (const { topic, key, value } of state) {
      const records = this.#state.get(topic) ?? new Map<string, string>();
      if (value === null) records.delete(key);
      else records.set(key, value);
      this.#state.set(topic, records);
    }
    for (const entry of group.entries) {
      this.kinds.push(entry.kind);
      if (entry.kind === 'changes' || entry.kind === 'told' || entry.kind === 'chunk') this.#takeRows(entry.kind, entry.batch);
      else if (entry.kind === 'notifications') this.notices.push(...entry.notifications);
      else if (entry.kind === 'records') {
        for (const { key, value } of entry.records) {
          this.records.push({ topic: entry.topic, key: Buffer.from(key ?? []).toString(), value: Buffer.from(value ?? []).toString() });
        }
      }
    }
  }

  #takeRows(how: RecordedRow['how'], { schema, bytes, starts, ops, count }: ChangeBatch): void {
    for (let i = 0; i < count; i++) {
      const [before = 0, after = 0, end = 0] = starts.subarray(2 * i, 2 * i + 3);
      const name = nameOf(ops[i] ?? 0);
      const cells = name === 'delete' ? imageTexts(schema, bytes, before, after) : imageTexts(schema, bytes, after, end);
      this.rows.push({ how, op: name, table: schema.table, cells });
    }
  }

  #logger(): Logger {
    const say = (...words: readonly unknown[]): void => {
      this.said.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
    };
    const logger: Logger = { debug() {}, info: say, warn: say, error: say, child: () => logger };
    return logger;
  }
}

function nameOf(code: number): keyof typeof op {
  for (const name of ['insert', 'update', 'delete', 'read', 'refresh'] as const) if (op[name] === code) return name;
  return assert.fail(`no operation ${code}`);
}
