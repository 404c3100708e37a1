/** Records in, changes out, as plain values: for tests of the decoder. */
import { noEvents, noTransactions } from '../../connect/commit-group.ts';
import type { CommitGroup, Entry } from '../../connect/commit-group.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import { readImage } from '../../event/cell.ts';
import { op, type ChangeBatch } from '../../event/change-batch.ts';
import type { Value } from '../../event/value.ts';
import { RecordDecoder, type RecordDecoderOptions } from './record-decoder.ts';
import { modesOfProperties } from './value-form.ts';

export function openDecoder(options: Partial<RecordDecoderOptions> = {}): RecordDecoder {
  return new RecordDecoder({
    source: 'p',
    flavor: 'mysql',
    modes: modesOfProperties({}, 'mysql'),
    takes: () => true,
    schemas: { key: undefined, value: undefined },
    declared: () => undefined,
    notes: new Map(),
    ...options,
  });
}

/** A record of values that become JSON; `undefined` is null bytes. */
export function record(key: unknown, value: unknown): SerializedRecord {
  const bytes = (side: unknown): Uint8Array | null => (side === undefined ? null : Buffer.from(JSON.stringify(side), 'utf8'));
  return { key: bytes(key), value: bytes(value), headers: [] };
}

export function groupOf(entries: readonly { readonly topic: string; readonly records: readonly SerializedRecord[] }[]): CommitGroup {
  return {
    source: 'p',
    seq: 1,
    position: { file: 'b.1', pos: 1, gtids: '' },
    open: false,
    file: 'b.1',
    transactions: noTransactions,
    events: noEvents,
    entries: entries.map((entry) => ({ kind: 'records', ...entry })),
  };
}

/** What an entry says, in short: `c {…}`, `u {…} {…}`, `createTable d.t (id INT KEY, v LONGTEXT)` … */
export function shown(entries: readonly Entry[]): readonly string[] {
  return entries.flatMap((entry) => {
    switch (entry.kind) {
      case 'changes':
        return shownBatch(entry.batch);
      case 'chunk':
        return shownBatch(entry.batch).map((text) => `chunk ${text}`);
      case 'schema':
        return entry.changes.map((change) => {
          const schema = 'after' in change ? change.after : change.before;
          const columns = schema.columns.map(
            ({ name, nativeType, nullable }, at) =>
              `${name} ${nativeType}${nullable ? '' : ' NOT NULL'}${schema.primaryKey.includes(at) ? ' KEY' : ''}`,
          );
          return `${change.kind} ${schema.database}.${schema.table} (${columns.join(', ')})`;
        });
      case 'snapshotBegin':
      case 'snapshotEnd':
        return entry.tables.map(({ database, table }) => `${entry.kind} ${database}.${table}`);
      default:
        return entry.kind;
    }
  });
}

const names = { [op.insert]: 'insert', [op.update]: 'update', [op.delete]: 'delete', [op.read]: 'read' } as const;

function shownBatch({ schema, count, ops, starts, bytes }: ChangeBatch): string[] {
  const image = (from: number, to: number): string => {
    if (from === to) return '';
    const values = readImage(schema, bytes, from, to).map((value, at) => [schema.columns[at]?.name ?? '', value] as const);
    return ` {${values.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${textOf(value)}`])).join(', ')}}`;
  };
  return Array.from({ length: count }, (_, i) => {
    const [before = 0, after = 0, end = 0] = starts.subarray(2 * i, 2 * i + 3);
    const code = ops[i];
    const name = code === 1 || code === 2 || code === 3 || code === 4 ? names[code] : '?';
    return `${name}${image(before, after)}${image(after, end)}`;
  });
}

function textOf(value: Value): string {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return value === null ? 'NULL' : String(value);
}
