/*
 * Relations between the values that vary: what is one transaction, one row event, one thread or one window in the recording
 * is one here, and what is another there is another here.
 */
import type { PlacedDifference } from './differences.ts';
import { isList, JsonObject, Varying, type Json, type VaryingKind } from './lossless-json.ts';
import type { MarkedRecord } from './varying.ts';

/** A recorded record and ours, which stand in the same place. */
export interface RecordPair {
  readonly expected: MarkedRecord;
  readonly got: MarkedRecord;
  readonly topic: string;
  /** `record 3`. */
  readonly record: string;
}

export interface RelationOptions {
  /** Windows of incremental snapshots are closed by GTID: their rows carry whatever was seen last. */
  readonly readOnlySignals: boolean;
  /** MariaDB: `pos` is that of the transaction, so rows do not tell their order by it. */
  readonly positionsOfTransactions: boolean;
}

type Report = (path: string, expected: string, got: string) => void;

const oneNames: Readonly<Record<VaryingKind, string>> = {
  transaction: 'transaction',
  position: 'row event (file and pos)',
  thread: 'thread',
  server: 'server id',
  uuid: 'UUID',
  run: 'run of the task',
  time: 'time',
  file: 'file',
};

/** One to one between the recorded values and ours, whatever they are. */
class OneToOne {
  readonly #ours = new Map<string, { readonly other: string; readonly where: string }>();
  readonly #recorded = new Map<string, { readonly other: string; readonly where: string }>();

  /** What is wrong with the pair, if anything. */
  meet(recorded: string, ours: string, where: string): { readonly expected: string; readonly got: string } | undefined {
    const there = this.#ours.get(recorded);
    if (there !== undefined && there.other !== ours) {
      return { expected: `the same as in ${there.where}`, got: `${ours} (there ${there.other})` };
    }
    const before = this.#recorded.get(ours);
    if (before !== undefined && before.other !== recorded) {
      return { expected: `another one than in ${before.where}`, got: `${ours} (the same)` };
    }
    this.#ours.set(recorded, { other: ours, where: there?.where ?? where });
    this.#recorded.set(ours, { other: recorded, where: before?.where ?? where });
    return undefined;
  }
}

/** The varying places of a record by their path; not those inside of schemas. */
function placesOf(record: MarkedRecord): ReadonlyMap<string, Varying> {
  const places = new Map<string, Varying>();
  const visit = (value: Json, path: string): void => {
    if (value instanceof Varying) places.set(path, value);
    else if (value instanceof JsonObject) {
      for (const [name, member] of value.members) {
        if (name !== 'schema' || (path !== 'key' && path !== 'value')) visit(member, `${path}.${name}`);
      }
    } else if (isList(value)) value.forEach((item, index) => visit(item, `${path}[${index}]`));
  };
  if (record.key.kind === 'json') visit(record.key.json, 'key');
  if (record.value.kind === 'json') visit(record.value.json, 'value');
  for (const [name, text] of record.headers) visit(text, `headers.${name}`);
  return places;
}

type Places = ReadonlyMap<string, Varying>;

/** `value.payload.source.file` for `…source.pos`; `__source_file` for `__source_pos`. */
function beside(path: string, from: string, to: string): string {
  const at = path.lastIndexOf(from);
  return path.slice(0, at) + to + path.slice(at + from.length);
}

export function compareRelations(pairs: readonly RecordPair[], options: RelationOptions): readonly PlacedDifference[] {
  const differences: PlacedDifference[] = [];
  const checks = [identities(options), clocks(), transactionTimes(options), grains()];
  const order = positionOrder(options);
  for (const pair of pairs) {
    const [recorded, ours] = [placesOf(pair.expected), placesOf(pair.got)];
    const report: Report = (path, expected, got) => differences.push({ topic: pair.topic, record: pair.record, path, expected, got });
    for (const check of checks) check.take(pair, recorded, ours, report);
    order.take(pair, recorded, ours, report);
  }
  for (const check of [...checks, order]) check.finish?.();
  return differences;
}

interface Check {
  take(pair: RecordPair, recorded: Places, ours: Places, report: Report): void;
  /** After the last pair. */
  finish?(): void;
}

/** Rows of a snapshot carry the position that was seen last: nothing to be compared with other records. */
function isBound({ expected }: RecordPair, { readOnlySignals }: RelationOptions): boolean {
  return !expected.what.startsWith('snapshot') && !(expected.what === 'incremental' && readOnlySignals);
}

function nameOf({ topic, record }: RecordPair): string {
  return `${topic} ${record}`;
}

/** One value there is one value here. */
function identities(options: RelationOptions): Check {
  const maps = new Map<VaryingKind, OneToOne>();
  return {
    take(pair, recorded, ours, report) {
      for (const [path, there] of recorded) {
        const here = ours.get(path);
        if (here === undefined || there.kind === 'time' || there.kind === 'file') continue;
        if (!isBound(pair, options) && ['transaction', 'position', 'thread'].includes(there.kind)) continue;
        const withFile = (value: Varying, places: Places): string =>
          there.kind === 'position' ? `${places.get(beside(path, 'pos', 'file'))?.raw}:${value.raw}` : value.raw;
        const map = maps.get(there.kind) ?? new OneToOne();
        maps.set(there.kind, map);
        const wrong = map.meet(withFile(there, recorded), withFile(here, ours), nameOf(pair));
        if (wrong !== undefined) report(path, `${oneNames[there.kind]}: ${wrong.expected}`, wrong.got);
      }
    },
  };
}

/** `ts_ms`, `ts_us` and `ts_ns` of one place are one time. */
function clocks(): Check {
  return {
    take(_pair, recorded, ours, report) {
      for (const [path, there] of recorded) {
        const here = ours.get(path);
        if (there.kind !== 'time' || here === undefined || !path.endsWith('ts_ms')) continue;
        for (const [name, digits] of [
          ['ts_us', 3],
          ['ts_ns', 6],
        ] as const) {
          const finer = beside(path, 'ts_ms', name);
          const [fineThere, fineHere] = [recorded.get(finer), ours.get(finer)];
          if (fineThere === undefined || fineHere === undefined || fineThere.raw.slice(0, -digits) !== there.raw) continue;
          if (fineHere.raw.slice(0, -digits) !== here.raw) report(finer, 'the same time as ts_ms', `${fineHere.raw} beside ${here.raw}`);
        }
      }
    },
  };
}

function sourceTime(places: Places): readonly [path: string, value: Varying] | undefined {
  return [...places].find(([path]) => path.endsWith('source.ts_ns'));
}

/** Source times that are equal within a transaction stay so. */
function transactionTimes(options: RelationOptions): Check {
  const times = new Map<string, { readonly ours: string; readonly where: string }>();
  return {
    take(pair, recorded, ours, report) {
      const [path, there] = sourceTime(recorded) ?? [];
      if (path === undefined || there === undefined || !isBound(pair, options) || pair.expected.what === 'incremental') return;
      const here = ours.get(path);
      const transaction = recorded.get(beside(path, 'ts_ns', 'gtid'));
      if (here === undefined || transaction === undefined) return;
      const id = `${transaction.raw} ${there.raw}`;
      const known = times.get(id);
      if (known === undefined) times.set(id, { ours: here.raw, where: nameOf(pair) });
      else if (known.ours !== here.raw) {
        report(path, `the same time as in ${known.where}, of the same transaction`, `${here.raw} (there ${known.ours})`);
      }
    },
  };
}

/** From so many records on the zeros at the end are no accident. */
const grainRecords = 4;

/** Source times of a kind of record are whole seconds, milliseconds or microseconds, as they are there. */
function grains(): Check {
  const kinds = new Map<string, { readonly there: string[]; readonly here: string[]; readonly path: string; readonly report: Report }>();
  return {
    take(pair, recorded, ours, report) {
      const [path, there] = sourceTime(recorded) ?? [];
      const here = path === undefined ? undefined : ours.get(path);
      if (path === undefined || there === undefined || here === undefined) return;
      const kind = kinds.get(pair.expected.what) ?? { there: [], here: [], path, report };
      kinds.set(pair.expected.what, kind);
      kind.there.push(there.raw);
      kind.here.push(here.raw);
    },
    finish() {
      for (const [what, { there, here, path, report }] of kinds) {
        const [grain, ours] = [grainOf(there), grainOf(here)];
        if (there.length >= grainRecords && grain !== 'finer' && grain !== ours) {
          report(path, `${what}: times of ${grain}`, `times of ${ours}`);
        }
      }
    },
  };
}

function grainOf(nanos: readonly string[]): string {
  const grain = (
    [
      ['whole seconds', 9],
      ['milliseconds', 6],
      ['microseconds', 3],
    ] as const
  ).find(([, zeros]) => nanos.every((each) => each.endsWith('0'.repeat(zeros))));
  return grain?.[0] ?? 'finer';
}

/** Streamed events of different topics stand in the same order in the binlog. */
function positionOrder({ positionsOfTransactions }: RelationOptions): Check {
  const events = new Map<
    string,
    { readonly there: BinlogPlace; readonly here: BinlogPlace; readonly path: string; readonly pair: RecordPair; readonly report: Report }
  >();
  return {
    take(pair, recorded, ours, report) {
      if (pair.expected.what !== 'row' && pair.expected.what !== 'ddl') return;
      const path = [...recorded.keys()].find((each) => each.endsWith('source.pos'));
      if (path === undefined) return;
      const place = (places: Places): BinlogPlace => ({
        file: places.get(beside(path, 'pos', 'file'))?.raw ?? '',
        pos: Number(places.get(path)?.raw),
      });
      const there = place(recorded);
      if (ours.has(path)) events.set(`${there.file}:${there.pos}`, { there, here: place(ours), path, pair, report });
    },
    finish() {
      const sorted = [...events.values()].toSorted((a, b) => comparePlaces(a.there, b.there));
      sorted.forEach(({ here, path, report }, index) => {
        const before = sorted[index - 1];
        if (before === undefined) return;
        const order = comparePlaces(before.here, here);
        if (order < 0 || (positionsOfTransactions && order === 0)) return;
        report(
          path,
          `a position after that of ${nameOf(before.pair)}`,
          `${here.file}:${here.pos} (there ${before.here.file}:${before.here.pos})`,
        );
      });
    },
  };
}

interface BinlogPlace {
  readonly file: string;
  readonly pos: number;
}

function comparePlaces(a: BinlogPlace, b: BinlogPlace): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.pos - b.pos;
}
