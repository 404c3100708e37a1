import type { CommitGroup } from '../connect/commit-group.ts';
import type { ColumnOrigin } from '../event/schema-change.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { column, History, int, table, text, type Row, type Transaction } from './group.fixture.ts';

/** What readers must see of each table: its rows as text, sorted. */
export type VisibleState = ReadonlyMap<string, readonly string[]>;

export interface HistoryStep {
  readonly group: CommitGroup;
  /** After the group; for an open group that before its open transaction is not kept: undefined. */
  readonly visible: VisibleState | undefined;
}

interface ModelTable {
  schema: TableSchema;
  rows: Value[][];
  /** While it is read again: what readers go on to see, and the keys that were read so far (below this one). */
  frozen: { readonly rows: readonly string[]; readBelow: number; readonly snapshot: string } | undefined;
}

const keys = 60;
const bigint = { kind: 'int', bits: 64, unsigned: false } as const;

export function printRow(row: readonly Value[]): string {
  return JSON.stringify(row.map((value) => (value === null || value === undefined ? null : String(value))));
}

/**
 * A random, but from the seed reproducible history of some tables with and without a key: rows, moved keys, schema
 * changes, truncation, tables read again while they change, transactions over several groups; with what readers must
 * see after each group.
 */
export function randomHistory(seed: number, groups: number): readonly HistoryStep[] {
  return new RandomHistory(seed).run(groups);
}

class RandomHistory {
  #state: number;
  /** `binlog_row_image=MINIMAL`: keys before, changed columns after. */
  readonly #minimal: boolean;
  readonly #history = new History();
  readonly #tables = new Map<string, ModelTable>();
  #open = false;
  #snapshots = 0;

  constructor(seed: number) {
    this.#state = seed * 2654435761 + 1;
    this.#minimal = seed % 4 === 3;
    for (const [name, key] of [
      ['one', [0]],
      ['two', [0]],
      ['three', [1, 0]],
      ['bag', []],
    ] as const) {
      this.#create(name, key);
    }
  }

  run(groups: number): HistoryStep[] {
    const steps: HistoryStep[] = [];
    for (let i = 0; i < groups; i++) {
      const last = i === groups - 1;
      if (!this.#open && this.#chance(0.3)) this.#snapshotStep();
      if (!this.#open && last) for (const each of this.#tables.values()) if (each.frozen !== undefined) this.#endSnapshot(each);
      const transactions = 1 + this.#below(5);
      for (let t = 0; t < transactions; t++) {
        if (!(this.#open && t === 0) && this.#chance(0.15)) this.#schemaChange();
        else this.#history.transaction((tx) => this.#changes(tx));
      }
      this.#open = i < groups - 2 && this.#chance(0.15);
      steps.push({ group: this.#history.group(this.#open), visible: this.#open ? undefined : this.#visible() });
    }
    return steps;
  }

  #create(name: string, key: readonly number[]): void {
    const columns = [column('id', int, { nullable: false }), column('name', text, { nullable: false }), column('amount', int)];
    const schema = table('d', name, columns, key);
    this.#tables.set(name, { schema, rows: [], frozen: undefined });
    this.#history.transaction((tx) => tx.ddl({ kind: 'createTable', after: schema }));
  }

  #visible(): VisibleState {
    return new Map(
      [...this.#tables.values()].map(({ schema, rows, frozen }) => [schema.table, frozen?.rows ?? rows.map(printRow).toSorted()]),
    );
  }

  #changes(tx: Transaction): void {
    const count = 1 + this.#below(12);
    for (let i = 0; i < count; i++) {
      const target = this.#pick([...this.#tables.values()]);
      const old = target.rows[this.#below(target.rows.length || 1)];
      const dice = this.#below(10);
      if (dice < 4 || old === undefined) this.#change(tx, target, { before: undefined, after: this.#row(target) });
      else if (dice < 6) this.#change(tx, target, { before: old, after: undefined });
      else if (dice < 8) this.#change(tx, target, { before: old, after: this.#row(target) });
      else this.#change(tx, target, { before: old, after: this.#rowOfKey(target, old) });
    }
  }

  #change(tx: Transaction, target: ModelTable, { before, after }: { before: Value[] | undefined; after: Value[] | undefined }): void {
    const { schema, rows } = target;
    if (after !== undefined && schema.primaryKey.length > 0) {
      const taken = rows.some((row) => row !== before && sameKey(schema, row, after));
      if (taken) return;
    }
    if (before !== undefined) rows.splice(rows.indexOf(before), 1);
    if (after !== undefined) rows.push(after);
    // what a chunk will hold is not told
    const told = (row: Row | undefined): Row | undefined =>
      row !== undefined && (target.frozen === undefined || idOf(schema, row) < target.frozen.readBelow) ? row : undefined;
    const [from, to] = [told(before), told(after)];
    const keyed = this.#minimal && schema.primaryKey.length > 0;
    const keyOnly = (row: Row): Row => (keyed ? row.map((value, index) => (schema.primaryKey.includes(index) ? value : undefined)) : row);
    const changed = (row: Row, old: Row): Row => (keyed ? row.map((value, index) => (value === old[index] ? undefined : value)) : row);
    if (from !== undefined && to !== undefined) tx.update(schema, keyOnly(from), changed(to, from));
    else if (from !== undefined) tx.delete(schema, keyOnly(from));
    else if (to !== undefined) tx.insert(schema, to);
  }

  #snapshotStep(): void {
    const reading = [...this.#tables.values()].find(({ frozen }) => frozen !== undefined);
    if (reading === undefined) {
      const target = this.#pick([...this.#tables.values()].filter(({ schema }) => schema.primaryKey.length > 0));
      const snapshot = `s${this.#snapshots++}`;
      this.#history.snapshotBegin(snapshot, [target.schema], false);
      target.frozen = { rows: target.rows.map(printRow).toSorted(), readBelow: 0, snapshot };
      return;
    }
    if (reading.frozen === undefined) return;
    this.#chunk(reading, reading.frozen.readBelow + 1 + this.#below(30));
    if (reading.frozen.readBelow >= keys) this.#endSnapshot(reading);
  }

  #chunk(target: ModelTable, upTo: number): void {
    const { frozen, schema } = target;
    if (frozen === undefined) return;
    const rows = target.rows.filter((row) => idOf(schema, row) >= frozen.readBelow && idOf(schema, row) < upTo);
    if (rows.length > 0) this.#history.chunk(frozen.snapshot, schema, rows);
    frozen.readBelow = upTo;
  }

  #endSnapshot(target: ModelTable): void {
    this.#chunk(target, keys + 1);
    if (target.frozen !== undefined) this.#history.snapshotEnd(target.frozen.snapshot, [target.schema]);
    target.frozen = undefined;
  }

  #schemaChange(): void {
    const target = this.#pick([...this.#tables.values()]);
    const before = target.schema;
    if (target.frozen !== undefined) {
      this.#history.transaction((tx) => this.#changes(tx));
      return;
    }
    if (this.#chance(0.1)) {
      target.rows = [];
      this.#history.transaction((tx) => tx.ddl({ kind: 'truncateTable', before }));
      return;
    }
    let columns: Column[] = [...before.columns];
    let origins: ColumnOrigin[] = columns.map((_, from) => ({ from }));
    const extra = columns.findIndex(({ name }) => !['id', 'name', 'amount'].includes(name));
    switch (this.#below(6)) {
      case 0:
        columns.push(column(this.#newName(columns), int));
        origins.push({ fill: null });
        break;
      case 1:
        columns.push(column(this.#newName(columns), text, { nullable: false }));
        origins.push({ fill: 'filled' });
        break;
      case 2:
        if (extra >= 0) {
          columns.splice(extra, 1);
          origins.splice(extra, 1);
        }
        break;
      case 3:
        if (extra >= 0) columns[extra] = { ...at(columns, extra), name: this.#newName(columns) };
        break;
      case 4:
        columns = [...columns.slice(-1), ...columns.slice(0, -1)];
        origins = [...origins.slice(-1), ...origins.slice(0, -1)];
        break;
      default: {
        const amount = columns.findIndex(({ name }) => name === 'amount');
        columns[amount] = { ...at(columns, amount), type: bigint };
      }
    }
    const primaryKey = before.primaryKey.map((position) => columns.findIndex(({ name }) => name === before.columns[position]?.name));
    const after = table('d', before.table, columns, primaryKey);
    target.rows = target.rows.map((row) =>
      origins.map((origin, index) => ('from' in origin ? convert(at(columns, index), row[origin.from]) : origin.fill)),
    );
    target.schema = after;
    this.#history.transaction((tx) => tx.ddl({ kind: 'alterTable', before, after, columns: origins }));
  }

  #newName(columns: readonly Column[]): string {
    for (let i = 0; ; i++) if (!columns.some(({ name }) => name === `c${i}`)) return `c${i}`;
  }

  #row({ schema }: ModelTable): Value[] {
    return schema.columns.map(({ name, type, nullable }) => {
      if (name === 'id') return this.#below(keys);
      if (nullable && this.#chance(0.2)) return null;
      if (type.kind === 'text') return this.#pick(['a', 'b', 'some longer text of this row', 'ä']);
      const value = this.#below(1000);
      return type.kind === 'int' && type.bits === 64 ? BigInt(value) : value;
    });
  }

  #rowOfKey(target: ModelTable, old: readonly Value[]): Value[] {
    const row = this.#row(target);
    for (const position of target.schema.primaryKey) row[position] = old[position];
    return row;
  }

  #pick<T>(list: readonly T[]): T {
    return at(list, this.#below(list.length));
  }

  #chance(share: number): boolean {
    return this.#below(1000) < share * 1000;
  }

  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}

function convert({ type }: Column, value: Value): Value {
  return type.kind === 'int' && type.bits === 64 && typeof value === 'number' ? BigInt(value) : value;
}

function idOf(schema: TableSchema, row: Row): number {
  return Number(row[schema.columns.findIndex(({ name }) => name === 'id')]);
}

function sameKey(schema: TableSchema, a: Row, b: Row): boolean {
  return schema.primaryKey.every((position) => a[position] === b[position]);
}
