import { cast } from '../compile/cast.ts';
import { quoteText, type Typed } from '../compile/typed.ts';
import { SnowflakeError } from '../snowflake-error.ts';
import { variant } from '../sql/sf-type.ts';
import { insertSql } from './dml.ts';
import type { Column, TableObject } from './objects.ts';
import type { Session } from './session.ts';

/** A channel of Snowpipe Streaming, as its status tells it. */
export interface Channel {
  readonly name: string;
  readonly tableId: number;
  readonly createdMs: number;
  /** Each opening is a new sequence; tokens of older ones are stale. */
  sequence: number;
  /** The number of the append that must come next. */
  next: number;
  /** As the last commit left it. */
  progress: Progress;
  /** Appends that were accepted and are not in the table yet. */
  pending: Append[];
}

export interface Progress {
  readonly committedOffset: string | null;
  readonly rowsInserted: number;
  readonly rowsParsed: number;
  readonly rowsErrors: number;
  readonly lastErrorOffset: string | null;
  readonly lastErrorMessage: string | null;
  readonly lastErrorMs: number | null;
}

const noProgress: Progress = {
  committedOffset: null,
  rowsInserted: 0,
  rowsParsed: 0,
  rowsErrors: 0,
  lastErrorOffset: null,
  lastErrorMessage: null,
  lastErrorMs: null,
};

interface Append {
  readonly sequence: number;
  readonly lines: readonly string[];
  readonly offset: string | null;
}

export class StreamingError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const stale = (): StreamingError =>
  new StreamingError(
    400,
    'STALE_CONTINUATION_TOKEN_SEQUENCER',
    'Channel sequencer in the continuation token is stale. Please reopen the channel',
  );

/**
 * Channels: an append is conditional on the one before it, by its continuation token; what was accepted is in the
 * table, and the offset token committed, some time later. Opening a channel again makes its older tokens stale and
 * forgets what was accepted and not committed.
 */
export class Channels {
  readonly #channels = new Map<string, Channel>();
  readonly #session: Session;
  readonly #commitMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(session: Session, commitMs: number) {
    this.#session = session;
    this.#commitMs = commitMs;
  }

  /** Channels that an earlier run committed to. */
  async load(): Promise<void> {
    const { connection } = this.#session;
    await connection.run('CREATE TABLE IF NOT EXISTS sys_channels(key VARCHAR, body VARCHAR)');
    for (const [key, body] of await connection.rows('SELECT key, body FROM sys_channels')) {
      this.#channels.set(String(key), { ...(JSON.parse(String(body)) as Channel), pending: [] });
    }
  }

  /** The table of a default pipe, `<TABLE>-STREAMING`. */
  table(database: string, schema: string, pipe: string): TableObject {
    const [, table] = /^(.+)-STREAMING$/.exec(pipe) ?? [];
    const { catalog } = this.#session;
    const found = table === undefined ? undefined : catalog.findSchema(database, schema);
    const object = found === undefined || table === undefined ? undefined : catalog.findIn(found.id, 'table', table, 0);
    if (object?.kind !== 'table') {
      throw new StreamingError(
        404,
        'ERR_PIPE_DOES_NOT_EXIST_NOT_AUTHORIZED',
        `Pipe ${database}.${schema}.${pipe} does not exist or not authorized`,
      );
    }
    return object;
  }

  /** In turn with commits: the offset that an opening tells is one that no later commit of the old sequence changes. */
  async open(table: TableObject, name: string, offset: string | undefined): Promise<Channel> {
    return this.#session.inTurn(async () => {
      const key = channelKey(table, name);
      const channel: Channel = this.#channels.get(key) ?? {
        name,
        tableId: table.id,
        createdMs: Date.now(),
        sequence: 0,
        next: 0,
        progress: noProgress,
        pending: [],
      };
      channel.sequence += 1;
      channel.next = 0;
      channel.pending = [];
      if (offset !== undefined) channel.progress = { ...channel.progress, committedOffset: offset };
      this.#channels.set(key, channel);
      await this.#save(channel, channel.progress);
      return channel;
    });
  }

  get(table: TableObject, name: string): Channel | undefined {
    return this.#channels.get(channelKey(table, name));
  }

  async drop(table: TableObject, name: string): Promise<void> {
    const key = channelKey(table, name);
    if (!this.#channels.delete(key)) {
      throw new StreamingError(404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED', `Channel ${name} does not exist`);
    }
    await this.#session.inTurn(() => this.#session.connection.run('DELETE FROM sys_channels WHERE key = ?', [key]));
  }

  token(channel: Channel): string {
    return `${channel.sequence}_${channel.next}`;
  }

  append(table: TableObject, name: string, token: string | null, rows: { readonly text: string; readonly offset: string | null }): string {
    const channel = this.#channels.get(channelKey(table, name));
    if (channel === undefined || token !== this.token(channel)) throw stale();
    channel.next += 1;
    channel.pending.push({
      sequence: channel.sequence,
      lines: rows.text.split('\n').filter((line) => line.trim() !== ''),
      offset: rows.offset,
    });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.flush(channel).catch((error: unknown) => {
        channel.progress = { ...channel.progress, lastErrorMessage: String(error) };
      });
    }, this.#commitMs);
    this.#timers.add(timer);
    return this.token(channel);
  }

  /** Commits what a channel has accepted. */
  async flush(channel: Channel): Promise<void> {
    await this.#session.inTurn(async () => {
      const appends = channel.pending;
      channel.pending = [];
      const table = this.#session.catalog.byId(channel.tableId);
      if (table?.kind !== 'table') return;
      for (const append of appends) if (append.sequence === channel.sequence) await this.#commit(channel, table, append);
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #commit(channel: Channel, table: TableObject, append: Append): Promise<void> {
    const session = this.#session;
    const { connection } = session;
    let { progress } = channel;
    await session.change(async (transaction) => {
      transaction.tables.add(table.id);
      const given = lineValues(table);
      const { inserted, refused } = await connection.atomically(async () => {
        await connection.run('CREATE TEMP TABLE lines (line VARCHAR)');
        for (let at = 0; at < append.lines.length; at += 500) {
          const part = append.lines.slice(at, at + 500);
          await connection.run(`INSERT INTO lines VALUES ${part.map(() => '(?)').join(', ')}`, part);
        }
        await connection.run(`CREATE TEMP TABLE fit AS SELECT CASE WHEN ${isObject} THEN sf_parse_json(line) END AS line FROM lines`);
        const good = `line IS NOT NULL AND ${given.map(({ fits }) => fits).join(' AND ')}`;
        const count = await connection.run(
          insertSql(
            table,
            transaction.stamp,
            given.map(({ sql }) => sql),
            `FROM fit WHERE ${good}`,
          ),
        );
        await connection.run('DROP TABLE lines; DROP TABLE fit');
        return { inserted: count, refused: append.lines.length - count };
      });
      progress = {
        ...channel.progress,
        rowsInserted: channel.progress.rowsInserted + inserted,
        rowsParsed: channel.progress.rowsParsed + append.lines.length,
        rowsErrors: channel.progress.rowsErrors + refused,
        committedOffset: append.offset ?? channel.progress.committedOffset,
        ...(refused === 0 ? {} : { lastErrorOffset: append.offset, lastErrorMs: Date.now() }),
        ...(refused === 0 ? {} : { lastErrorMessage: `${refused} of ${append.lines.length} rows do not fit the columns of ${table.name}` }),
      };
      transaction.beside.push(() => this.#save(channel, progress));
    });
    channel.progress = progress;
  }

  async #save(channel: Channel, progress: Progress): Promise<void> {
    const { connection } = this.#session;
    const key = JSON.stringify([channel.tableId, channel.name]);
    await connection.run('DELETE FROM sys_channels WHERE key = ?', [key]);
    await connection.run('INSERT INTO sys_channels VALUES (?, ?)', [key, JSON.stringify({ ...channel, progress, pending: [] })]);
  }
}

function channelKey(table: TableObject, name: string): string {
  return JSON.stringify([table.id, name]);
}

const isObject = `sf_is_json(line) = 'true' AND starts_with(ltrim(line), '{')`;

/** What a column takes of a line, and whether it fits: by the name of a member, upper or lower case alike. */
function lineValues(table: TableObject): readonly { readonly sql: string; readonly fits: string }[] {
  return table.columns.map((column) => {
    const value: Typed = { sql: `sf_member_any_case(line, ${quoteText(column.name)})`, type: variant };
    const sql = column.type.kind === 'variant' ? value.sql : `(${fromJson(value, column)})`;
    const given = `coalesce(${value.sql}, 'null') <> 'null'`;
    const fits = column.type.kind === 'variant' ? 'true' : `(NOT ${given} OR ${sql} IS NOT NULL)`;
    return { sql, fits: column.nullable ? fits : `(${fits} AND ${sql} IS NOT NULL)` };
  });
}

function fromJson(value: Typed, column: Column): string {
  try {
    return cast(cast({ sql: value.sql, type: variant }, { kind: 'text', length: 134_217_728 }, 'explicit'), column.type, 'try').sql;
  } catch (error) {
    if (error instanceof SnowflakeError && (column.type.kind === 'object' || column.type.kind === 'array')) return value.sql;
    throw error;
  }
}
