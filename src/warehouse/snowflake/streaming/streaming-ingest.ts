import { sleep } from '../../../base/abort.ts';
import { MillraceError } from '../../../base/errors.ts';
import { failpoint } from '../../../base/failpoint.ts';
import type { Logger } from '../../../base/logger.ts';
import type { LandingLayout, RowMark, RowsOfTable } from '../landing/landed-rows.ts';
import { qualified } from '../sql-text.ts';
import type { ChannelStatus, StreamingClient } from './streaming-client.ts';

/** Bytes of a request's lines: Snowflake takes 4 MB. */
const requestBytes = 3_900_000;
const pollMs = 200;
const slowestPollMs = 2000;
/** Rows are said to be in their table after ten seconds at most. */
const patienceMs = 5 * 60_000;

interface Channel {
  continuation: string;
  /** The last row that is in the table. */
  committed: RowMark;
  errors: number;
}

export interface StreamingIngestOptions {
  readonly client: StreamingClient;
  /** Of the log: offsets of another one mean nothing here. */
  readonly logId: string;
  /** Begin of the channels' names. */
  readonly prefix: string;
  /** Whether rows that Snowflake refuses are left out. */
  readonly tolerates: boolean;
  readonly log: Logger;
}

/**
 * Rows on their way through Snowpipe Streaming: a channel per source and table. Its offset token is the log's place of a row,
 * `log/group/record`, and becomes durable with the row, so that a row which comes again is known.
 */
export class StreamingIngest {
  readonly #options: StreamingIngestOptions;
  readonly #channels = new Map<string, Channel>();

  constructor(options: StreamingIngestOptions) {
    this.#options = options;
  }

  /**
   * Appends rows and waits until they are in their tables.
   * @throws LOG_IDENTITY, WAREHOUSE_FAILED when Snowflake cannot store a row, WAREHOUSE_UNREACHABLE
   */
  async append(source: string, tables: Iterable<RowsOfTable>, signal: AbortSignal): Promise<void> {
    const waiting: (() => Promise<void>)[] = [];
    for (const rows of inOrder(tables)) {
      const name = `${this.#options.prefix}__${source}`;
      const channel = await this.#channel(name, rows, signal);
      const last = await this.#send(channel, name, rows, signal);
      failpoint('streamed');
      if (last !== undefined) waiting.push(() => this.#settled(channel, { name, rows, last }, signal));
    }
    await Promise.all(waiting.map((wait) => wait()));
  }

  async #channel(name: string, { place }: RowsOfChannel, signal: AbortSignal): Promise<Channel> {
    const key = `${name}\n${qualified(place)}`;
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    const { continuation, status } = await this.#options.client.open(place, name, signal);
    this.#checkErrors(status, 0, place.table);
    const channel: Channel = { continuation, errors: status.errors, committed: this.#markOf(status, place.table) };
    this.#channels.set(key, channel);
    return channel;
  }

  /** Sends what is not in the table yet; the last row of it. */
  async #send(channel: Channel, name: string, { place, rows }: RowsOfChannel, signal: AbortSignal): Promise<RowMark | undefined> {
    let lines = '';
    let bytes = 0;
    let first: RowMark | undefined;
    let last: RowMark | undefined;
    const send = async (): Promise<void> => {
      if (first === undefined || last === undefined) return;
      const request = { lines, first: this.#token(first), last: this.#token(last) };
      channel.continuation = await this.#options.client.append(
        { place, channel: name, continuation: channel.continuation },
        request,
        signal,
      );
      lines = '';
      bytes = 0;
      first = undefined;
    };
    for (const { layout, cells, mark } of rows) {
      if (compareMarks(mark, channel.committed) <= 0) continue;
      const line = lineOf(layout, cells);
      const length = Buffer.byteLength(line) + 1;
      if (length > requestBytes) {
        throw new MillraceError(
          'VALUE_UNREPRESENTABLE',
          `A record for ${place.table} has ${length} bytes, more than Snowpipe Streaming takes`,
          {
            nextStep: 'Set millrace.ingestion=copy, which takes records of up to 128 MB.',
          },
        );
      }
      if (bytes + length > requestBytes) await send();
      first ??= mark;
      last = mark;
      lines += `${line}\n`;
      bytes += length;
    }
    await send();
    return last;
  }

  async #settled(
    channel: Channel,
    { name, rows: { place }, last }: { readonly name: string; readonly rows: RowsOfChannel; readonly last: RowMark },
    signal: AbortSignal,
  ): Promise<void> {
    const begunMs = performance.now();
    for (let waitMs = pollMs; ; waitMs = Math.min(waitMs * 1.5, slowestPollMs)) {
      const status = await this.#options.client.status(place, name, signal);
      this.#checkErrors(status, channel.errors, place.table);
      channel.errors = status.errors;
      channel.committed = this.#markOf(status, place.table);
      if (compareMarks(channel.committed, last) >= 0) return;
      if (performance.now() - begunMs > patienceMs) {
        throw new MillraceError('WAREHOUSE_UNREACHABLE', `Rows for ${place.table} are not committed after ${patienceMs / 1000} s`, {
          retriable: true,
        });
      }
      await sleep(waitMs, signal);
    }
  }

  /** Snowflake goes on after a row that it cannot store, and says so here alone. */
  #checkErrors({ errors, lastError }: ChannelStatus, before: number, table: string): void {
    if (errors <= before) return;
    const message = `Snowflake could not store ${errors - before} rows in ${table}: ${lastError}`;
    if (this.#options.tolerates) {
      this.#options.log.error({ table, rows: errors - before }, message);
      return;
    }
    throw new MillraceError('WAREHOUSE_FAILED', message, {
      nextStep: `Look at the table's columns, and at its error table. errors.tolerance=all goes on without these rows; a connector with another name lands them again.`,
      context: { table },
    });
  }

  #token({ seq, index }: RowMark): string {
    return `${this.#options.logId}/${seq}/${index}`;
  }

  /** @throws LOG_IDENTITY */
  #markOf({ committed }: ChannelStatus, table: string): RowMark {
    if (committed === null) return { seq: 0, index: 0 };
    const [logId, seq, index] = committed.split('/');
    if (logId === this.#options.logId) return { seq: Number(seq), index: Number(index) };
    throw new MillraceError('LOG_IDENTITY', `${table} was fed by this connector from another log than the one in the data folder`, {
      nextStep: 'Use the data folder that it belongs to, or give the connector another name: it then lands everything anew.',
      context: { table },
    });
  }
}

/** Rows of a table as they came, whatever their layouts: offset tokens must grow. */
interface RowsOfChannel {
  readonly place: RowsOfTable['place'];
  readonly rows: { readonly layout: LandingLayout; readonly cells: readonly (string | null)[]; readonly mark: RowMark }[];
}

function inOrder(tables: Iterable<RowsOfTable>): Iterable<RowsOfChannel> {
  const channels = new Map<string, RowsOfChannel>();
  for (const { place, layout, rows, marks } of tables) {
    const key = qualified(place);
    const channel = channels.get(key) ?? { place, rows: [] };
    channels.set(key, channel);
    for (const [index, cells] of rows.entries()) {
      const mark = marks[index];
      if (mark !== undefined) channel.rows.push({ layout, cells, mark });
    }
  }
  for (const { rows } of channels.values()) rows.sort((a, b) => compareMarks(a.mark, b.mark));
  return channels.values();
}

function compareMarks(a: RowMark, b: RowMark): number {
  return a.seq === b.seq ? a.index - b.index : a.seq - b.seq;
}

function lineOf({ columns }: LandingLayout, cells: readonly (string | null)[]): string {
  let line = '{';
  for (const [index, { name, text }] of columns.entries()) {
    const cell = cells[index] ?? null;
    if (cell === null) continue;
    const value =
      text === 'json' ? cell : JSON.stringify(text === 'base64' ? Buffer.from(cell, 'base64').toString('hex').toUpperCase() : cell);
    line += `${line === '{' ? '' : ','}${JSON.stringify(name)}:${value}`;
  }
  return `${line}}`;
}
