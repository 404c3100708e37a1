/** Events that were recorded from real servers (fixtures/record.mjs), and what the decoder makes of them, as JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventDecoder } from './event-decoder.ts';
import type { BinlogEvent } from './events.ts';
import { GtidSet } from './gtid-set.ts';
import { unfoldPayload } from './payload-reader.ts';
import { readRows } from './row-image.ts';

const folder = join(import.meta.dirname, 'fixtures');

export function recordedEvents(flavor: 'mysql' | 'mariadb'): Buffer[] {
  const lines = readFileSync(join(folder, `${flavor}-events.txt`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => Buffer.from(line, 'hex'));
}

export function recordedMeaning(flavor: 'mysql' | 'mariadb'): unknown {
  const meaning: unknown = JSON.parse(readFileSync(join(folder, `${flavor}-events.json`), 'utf8'));
  return meaning;
}

export function newDecoder(flavor: 'mysql' | 'mariadb'): EventDecoder {
  return new EventDecoder({ file: '', position: 4, mariadb: flavor === 'mariadb' });
}

/** Decodes one event, unfolding compressed transactions. */
export function decodeAll(decoder: EventDecoder, bytes: Uint8Array): BinlogEvent[] {
  const event = decoder.decode(bytes, 0, bytes.length);
  if (event.type !== 'TRANSACTION_PAYLOAD') return [event];
  const events: BinlogEvent[] = [];
  unfoldPayload(event, decoder, events);
  return events;
}

export function decodeRecorded(recorded: readonly Uint8Array[], flavor: 'mysql' | 'mariadb'): unknown {
  const decoder = newDecoder(flavor);
  const events = recorded.flatMap((bytes) => decodeAll(decoder, bytes)).map(shown);
  const meaning: unknown = JSON.parse(JSON.stringify(events, plain));
  return meaning;
}

/** Rows events with their values instead of bytes, and the name of their table. */
function shown(event: BinlogEvent): unknown {
  if (event.type !== 'ROWS') return event;
  const { bytes: _bytes, start: _start, end: _end, table, ...rest } = event;
  return { ...rest, table: `${table.database}.${table.table}`, rows: readRows(event) };
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof GtidSet) return value.toString();
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Uint16Array) return Array.from(value);
  return value;
}
