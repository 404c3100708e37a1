import { MillraceError } from '../../base/errors.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import { op, type ChangeBatchBuilder } from '../../event/change-batch.ts';
import type { GroupAssembler } from './group-assembler.ts';
import { JsonReader } from './json-reader.ts';
import type { RecordFrame } from './record-frame.ts';
import type { RecordSchema } from './record-schema.ts';
import { RowPlan, type PlanParts } from './row-plan.ts';
import { MemberFinder, noValue } from './row-reader.ts';
import { MarkerReader, type SourceMarker } from './source-marker.ts';
import type { TopicTable } from './topic-table.ts';

/** A record of a row, taken apart; valid until the next one is opened. */
export interface OpenRecord {
  readonly record: SerializedRecord;
  readonly value: RecordFrame;
  readonly key: RecordFrame | undefined;
  /** Debezium's envelope; undefined: the value is the row itself. */
  readonly envelope: OpenEnvelope | undefined;
  /** Schema of the row struct, if the record has schemas. */
  readonly rowSchema: RecordSchema | undefined;
  /** Where a row object begins from which members can be read. */
  readonly rowAt: number;
}

interface OpenEnvelope {
  /** The letter. */
  readonly op: string;
  /** Where the images begin, or `noValue`. */
  readonly before: number;
  readonly after: number;
  readonly marker: SourceMarker | undefined;
}

const places = { before: 0, after: 1, source: 2, op: 3 } as const;
const members = [
  { name: 'before', place: places.before },
  { name: 'after', place: places.after },
  { name: 'source', place: places.source },
  { name: 'transaction', place: -1 },
  { name: 'op', place: places.op },
  { name: 'ts_ms', place: -1 },
  { name: 'ts_us', place: -1 },
  { name: 'ts_ns', place: -1 },
] as const;

/** Texts of one ASCII letter, by its code. */
const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** Debezium's operations: create, update, delete, read, truncate, message. */
const knownOps = new Set(Buffer.from('cudrtm'));

/** Takes records of rows apart, and writes them as changes of their table. */
export class RowDecoder {
  readonly #finder = new MemberFinder(members, 4);
  readonly #markers = new MarkerReader();
  readonly #reader = new JsonReader(new Uint8Array(0));
  readonly #envelopes = new WeakMap<RecordSchema, boolean>();
  /** Schema of the row by that of the envelope. */
  readonly #rowSchemas = new WeakMap<RecordSchema, RecordSchema>();

  /** Undefined: a tombstone. @throws CONVERSION_FAILED when it is no row */
  open(table: TopicTable, record: SerializedRecord): OpenRecord | undefined {
    if (record.value === null) return undefined;
    const value = table.values.frame(record.value);
    const key = record.key === null ? undefined : table.keys.frame(record.key);
    const reader = this.#reader;
    reader.reset(value.bytes, value.start, value.end);
    const first = reader.peek();
    if (first === 0x6e) return undefined;
    if (first !== 0x7b) throw new MillraceError('CONVERSION_FAILED', 'the value is no row: it is no object');
    if (!this.#mayBeEnvelope(value.schema)) return { record, value, key, envelope: undefined, rowSchema: value.schema, rowAt: reader.at };
    const rowAt = reader.at;
    const finder = this.#finder;
    finder.find(reader);
    const { starts } = finder;
    const [before = -1, after = -1, source = -1, opAt = -1] = starts;
    if (
      value.schema === undefined &&
      (opAt < 0 || (before === noValue.missing && after === noValue.missing) || finder.unexpected !== undefined)
    ) {
      return { record, value, key, envelope: undefined, rowSchema: undefined, rowAt };
    }
    let marker: SourceMarker | undefined;
    if (source >= 0) {
      reader.at = source;
      marker = this.#markers.read(reader);
    }
    const rowSchema = value.schema === undefined ? undefined : this.#rowSchemas.get(value.schema);
    const letter = value.bytes[opAt + 1] ?? 0;
    if (opAt < 0 || value.bytes[opAt] !== 0x22 || value.bytes[opAt + 2] !== 0x22 || !knownOps.has(letter)) throw noOp(value, opAt);
    const envelope = { op: letters[letter] ?? '', before, after, marker };
    return { record, value, key, envelope, rowSchema, rowAt: after >= 0 ? after : before };
  }

  #mayBeEnvelope(schema: RecordSchema | undefined): boolean {
    if (schema === undefined) return true;
    let known = this.#envelopes.get(schema);
    if (known === undefined) {
      const has = (name: string): boolean => schema.fields.some(({ field }) => field === name);
      known = has('op') && has('source') && (has('before') || has('after'));
      const row = schema.fields.find(({ field }) => field === 'after' || field === 'before');
      if (row !== undefined) this.#rowSchemas.set(schema, row);
      this.#envelopes.set(schema, known);
    }
    return known;
  }
}

/** The plan for records of this form; the table's own one is kept as long as it fits. */
export function planOf(table: TopicTable, parts: PlanParts): RowPlan {
  if (table.plan === undefined || !table.plan.fits(parts)) table.plan = new RowPlan(parts);
  return table.plan;
}

interface ChangePlace {
  readonly assembler: GroupAssembler;
  readonly plan: RowPlan;
  readonly event: number;
}

/** Adds the change of an envelope. */
export function writeEnvelope({ plan, assembler, event }: ChangePlace, { value, key, envelope }: OpenRecord): void {
  if (envelope === undefined) return;
  const { before, after } = envelope;
  const keyed = plan.schema.primaryKey.length > 0;
  const isDelete = envelope.op === 'd';
  if (!isDelete && after < 0) throw new MillraceError('CONVERSION_FAILED', `the record has no "after", and op "${envelope.op}"`);
  if (!keyed && before < 0 && (isDelete || envelope.op === 'u')) throw noBefore();
  const builder = assembler.changesOf(plan.schema);
  openKey(plan, key);
  // a row that is created is put in place of one that repetitions, or a snapshot, have brought before
  const code = isDelete ? op.delete : keyed || envelope.op === 'u' ? op.update : op.insert;
  const { length } = builder.writer;
  builder.begin(code, event);
  try {
    if (keyed) {
      const byKey = plan.keyFindsRow;
      const image = before >= 0 ? before : after;
      if (byKey || image < 0) plan.noRow();
      else plan.findRow(value.bytes, image, value.end);
      writeKey(plan, builder);
    } else if (code !== op.insert) {
      plan.findRow(value.bytes, before, value.end);
      plan.writeRow(builder.writer);
    }
    builder.middle();
    if (!isDelete) {
      plan.findRow(value.bytes, after, value.end);
      plan.writeRow(builder.writer);
    }
    builder.end();
  } catch (error) {
    builder.writer.length = length;
    throw error;
  }
}

/** Adds a row that stands in the record by itself. */
export function writeFlat({ plan, assembler, event }: ChangePlace, { value, key, rowAt }: OpenRecord): void {
  const keyed = plan.schema.primaryKey.length > 0;
  openKey(plan, key);
  plan.findRow(value.bytes, rowAt, value.end);
  const builder = assembler.changesOf(plan.schema);
  const code = plan.isDeleted ? op.delete : keyed ? op.update : op.insert;
  const { length } = builder.writer;
  builder.begin(code, event);
  try {
    if (keyed) writeKey(plan, builder);
    else if (code === op.delete) plan.writeRow(builder.writer);
    builder.middle();
    if (code !== op.delete) plan.writeRow(builder.writer);
    builder.end();
  } catch (error) {
    builder.writer.length = length;
    throw error;
  }
}

/** Adds the deletion that a tombstone says; none if its key is not the table's. */
export function writeTombstone({ plan, assembler, event }: ChangePlace, key: RecordFrame): void {
  openKey(plan, key);
  plan.noRow();
  if (!plan.hasKey) return;
  const builder = assembler.changesOf(plan.schema);
  const { length } = builder.writer;
  builder.begin(op.delete, event);
  try {
    plan.writeKey(builder.writer);
    builder.middle();
    builder.end();
  } catch (error) {
    builder.writer.length = length;
    throw error;
  }
}

/** Adds a row of a snapshot to its chunk. */
export function writeRead(plan: RowPlan, builder: ChangeBatchBuilder, { value, key, envelope }: OpenRecord): void {
  const after = envelope?.after ?? -1;
  if (after < 0) throw new MillraceError('CONVERSION_FAILED', 'the record has no "after"');
  openKey(plan, key);
  plan.findRow(value.bytes, after, value.end);
  if (!plan.hasKey) throw noKey();
  const { length } = builder.writer;
  builder.begin(op.read, 0);
  try {
    builder.middle();
    plan.writeRow(builder.writer);
    builder.end();
  } catch (error) {
    builder.writer.length = length;
    throw error;
  }
}

function openKey(plan: RowPlan, key: RecordFrame | undefined): void {
  if (key === undefined) plan.noKey();
  else plan.findKey(key.bytes, key.start, key.end);
}

function writeKey(plan: RowPlan, builder: ChangeBatchBuilder): void {
  if (!plan.hasKey) throw noKey();
  plan.writeKey(builder.writer);
}

function noOp({ bytes, end }: RecordFrame, at: number): MillraceError {
  const shown = at < 0 ? 'missing' : `${Buffer.from(bytes.subarray(at, Math.min(at + 12, end))).toString('utf8')} …`;
  return new MillraceError('CONVERSION_FAILED', `the envelope's op is none of c, u, d, r, t and m: ${shown}`);
}

function noKey(): MillraceError {
  return new MillraceError('CONVERSION_FAILED', "neither key nor value of the record have all columns of the table's key");
}

function noBefore(): MillraceError {
  return new MillraceError('CONVERSION_FAILED', 'the table has no key, and the record no "before": it is not known which row was changed');
}
