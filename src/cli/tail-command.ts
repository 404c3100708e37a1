import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../base/abort.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import type { RenderedRecord } from '../codec/debezium-renderer.ts';
import { renderRecordLine } from '../codec/record-line.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import type { EmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { listTopics } from '../log/topic-view.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';
import { createRecordReader } from './record-reader.ts';
import type { RecordReader } from './record-reader.ts';
import { usage } from './resync-command.ts';
import { onStopSignal } from './stop-signal.ts';
import { createPaint, hasColors, writeBytesOut } from './terminal.ts';
import type { Paint } from './terminal.ts';

export interface TailOptions {
  readonly data: string;
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const followMs = 50;
/** Lines are gathered up to this size, so that a record is not a system call. */
const writeBytes = 64 * 1024;

/** `millrace tail`: reads the log itself, which several processes may. */
export async function tailCommand(topics: readonly string[], options: TailOptions): Promise<void> {
  if ((options.all === true) === topics.length > 0) throw usage('Name topics as prefix.database.table, or say --all.');
  if (!existsSync(join(options.data, 'log', 'log.sqlite'))) {
    throw new MillraceError('WORKER_NOT_RUNNING', `The data folder ${options.data} has no log yet.`);
  }
  const stop = new AbortController();
  void onStopSignal().then(() => stop.abort(new MillraceError('ABORTED', 'asked to stop')));
  await using log = await openEmbeddedLog(embeddedLogOptions(options.data, defaultLogSettings), stop.signal);
  if (options.follow !== true) checkTopics(log, topics);
  const out = new ByteWriter(2 * writeBytes);
  const print = options.json === true ? printJson(out) : printForPeople(out, createPaint(hasColors(process.stdout)));
  const emit: Print = (record, offset) => {
    print(record, offset);
    if (out.length < writeBytes) return;
    writeBytesOut(out.bytes.subarray(0, out.length));
    out.clear();
  };
  const wanted = {
    ...(options.all === true ? {} : { topics: new Set(topics) }),
    // People do not want to read the schemas around each key and value.
    withoutSchemas: options.json !== true,
  };
  const readers = new Map<string, RecordReader>();
  while (!stop.signal.aborted) {
    let any = false;
    for (const source of log.sources()) {
      let reader = readers.get(source);
      if (reader === undefined) readers.set(source, (reader = createRecordReader(log, source, wanted)));
      any = reader.readOn(emit, stop.signal) || any;
    }
    if (out.length > 0) writeBytesOut(out.bytes.subarray(0, out.length));
    out.clear();
    if (options.follow !== true) break;
    if (!any) await sleep(followMs, stop.signal).catch(() => undefined);
  }
}

/** @throws CONFIG_INVALID naming a topic that the log does not have, and those that it has */
function checkTopics(log: EmbeddedLog, topics: readonly string[]): void {
  const known = listTopics(log).map((topic) => topic.name);
  const unknown = topics.find((topic) => !known.includes(topic));
  if (unknown === undefined) return;
  throw new MillraceError('CONFIG_INVALID', `The log has no topic ${unknown}.`, {
    nextStep:
      known.length === 0
        ? 'It has none yet; --follow waits for it.'
        : `It has: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ' …' : ''}.`,
  });
}

type Print = (record: RenderedRecord, offset: number) => void;

function printJson(out: ByteWriter): Print {
  return (record, offset) => renderRecordLine(record, 0, offset, out);
}

/** `shop.shop.orders 42  {"id":1}  {"before":…}`. */
function printForPeople(out: ByteWriter, paint: Paint): Print {
  const text = (record: RenderedRecord, start: number, end: number): string => {
    if (end < 0) return paint('dim', '∅');
    return Buffer.from(record.bytes.buffer, record.bytes.byteOffset + start, end - start).toString('utf8');
  };
  return (record, offset) => {
    const key = text(record, record.keyStart, record.keyEnd);
    const value = text(record, record.valueStart, record.valueEnd);
    const line = Buffer.from(`${paint('cyan', record.topic)} ${paint('dim', String(offset))}  ${paint('bold', key)}  ${value}\n`);
    out.raw(line, 0, line.length);
  };
}
