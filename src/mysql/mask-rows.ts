import { createHash } from 'node:crypto';
import { ByteWriter } from '../base/byte-writer.ts';
import { writeJavaString } from '../base/java-object.ts';
import type { ColumnRules, Mask } from '../config/column-rules.ts';
import { ChangeBatchBuilder, cellState, op, stateBytes, type ChangeBatch, type Op } from '../event/change-batch.ts';
import { cellWidths, locateCells, noCell } from '../event/row-image.ts';
import type { ColumnOrigin, SchemaChange } from '../event/schema-change.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';

/** Hides values of one table's columns. */
export interface RowMask {
  /** Of the builder's changes from the `from`th on. */
  maskTail(builder: ChangeBatchBuilder, from: number): void;
  /** A copy of the batch with masked values. */
  maskBatch(batch: ChangeBatch): ChangeBatch;
}

type MaskText = (text: string | null) => string | null;

export type FindRowMask = (schema: TableSchema) => RowMask | undefined;

/** Finds what is done to rows of a table; undefined: nothing to those of any. */
export function createRowMasks(rules: ColumnRules): FindRowMask | undefined {
  if (!rules.hasMasks) return undefined;
  const compiled = new WeakMap<TableSchema, { readonly mask: RowMask | undefined }>();
  return (schema) => {
    let known = compiled.get(schema);
    if (known === undefined) compiled.set(schema, (known = { mask: compileRowMask(schema, rules) }));
    return known.mask;
  };
}

/** The values that existing rows get in columns that DDL adds are masked, too. */
export function maskFills(changes: readonly SchemaChange[], rules: ColumnRules): readonly SchemaChange[] {
  if (!rules.hasMasks) return changes;
  return changes.map((change) => {
    if (change.kind !== 'alterTable') return change;
    const { after } = change;
    const columns = change.columns.map((origin, position): ColumnOrigin => {
      const column = after.columns[position];
      if ('from' in origin || column === undefined) return origin;
      const mask = maskOf(column, rules.masksOf(after, column.name));
      return mask === undefined ? origin : { fill: mask(origin.fill) };
    });
    return { ...change, columns };
  });
}

/**
 * What the masks of `rules` do to rows of a table; undefined: nothing. Values are masked before they come into the log, so
 * that neither records nor replicas ever have them. Keys are compared before: a chunk of a snapshot ends at the true one.
 */
function compileRowMask(schema: TableSchema, rules: Pick<ColumnRules, 'masksOf'>): RowMask | undefined {
  const masks = schema.columns.map((column) => maskOf(column, rules.masksOf(schema, column.name)));
  return masks.every((mask) => mask === undefined) ? undefined : new Masking(schema, masks);
}

/** Debezium masks what its JDBC type is a character type of; anything else only says so in the schema. */
function isMaskable({ type, charset }: Column): boolean {
  return (type.kind === 'text' && charset !== 'binary') || type.kind === 'enum' || type.kind === 'set';
}

function maskOf(column: Column, [mask]: readonly Mask[]): MaskText | undefined {
  if (mask === undefined || !isMaskable(column)) return undefined;
  switch (mask.kind) {
    case 'asterisks': {
      const text = '*'.repeat(mask.length);
      return () => text;
    }
    case 'truncate':
      return (text) => (text === null || text.length <= mask.length ? text : cut(text, mask.length));
    case 'hash': {
      const length =
        column.type.kind === 'enum' || column.type.kind === 'set' ? setLength(column.type.labels, column.type.kind) : column.length;
      return (text) => (text === null ? null : digest(text, mask).slice(0, length));
    }
  }
}

/** Lengths as Debezium's parser counts them. */
function setLength(labels: readonly string[], kind: 'enum' | 'set'): number {
  return kind === 'enum' ? 1 : Math.max(1, 2 * labels.length - 1);
}

/** The first characters, as Java counts; half a character is a question mark. */
function cut(text: string, length: number): string {
  const kept = text.slice(0, length);
  return kept.isWellFormed() ? kept : `${kept.slice(0, -1)}?`;
}

function digest(text: string, { algorithm, salt, javaSerialized }: Extract<Mask, { kind: 'hash' }>): string {
  const hash = createHash(algorithm).update(salt, 'utf8');
  return hash.update(javaSerialized ? writeJavaString(text) : Buffer.from(text, 'utf8')).digest('hex');
}

class Masking implements RowMask {
  readonly #schema: TableSchema;
  readonly #masks: readonly (MaskText | undefined)[];
  readonly #widths: Uint8Array;
  readonly #places: Int32Array;
  readonly #scratch = new ByteWriter(4096);

  constructor(schema: TableSchema, masks: readonly (MaskText | undefined)[]) {
    this.#schema = schema;
    this.#masks = masks;
    this.#widths = cellWidths(schema);
    this.#places = new Int32Array(2 * schema.columns.length);
  }

  maskTail(builder: ChangeBatchBuilder, from: number): void {
    if (builder.count === from) return;
    const { count, ops, events, starts, bytes } = builder.view();
    const changes = Array.from({ length: count - from }, (_, i) => ({
      op: codeOf(ops[from + i]),
      event: events[from + i] ?? 0,
      starts: [starts[2 * (from + i)] ?? 0, starts[2 * (from + i) + 1] ?? 0, starts[2 * (from + i) + 2] ?? 0] as const,
    }));
    const base = changes[0]?.starts[0] ?? 0;
    const images = bytes.slice(base);
    builder.truncate(from);
    for (const change of changes) this.#write(builder, change, { bytes: images, base });
  }

  maskBatch({ schema, count, ops, events, starts, bytes }: ChangeBatch): ChangeBatch {
    const builder = new ChangeBatchBuilder(schema, bytes.length + 1024);
    for (let i = 0; i < count; i++) {
      const change = {
        op: codeOf(ops[i]),
        event: events[i] ?? 0,
        starts: [starts[2 * i] ?? 0, starts[2 * i + 1] ?? 0, starts[2 * i + 2] ?? 0] as const,
      };
      this.#write(builder, change, { bytes, base: 0 });
    }
    return builder.view();
  }

  #write(
    builder: ChangeBatchBuilder,
    {
      op: code,
      event,
      starts: [before, middle, after],
    }: { readonly op: Op; readonly event: number; readonly starts: readonly [number, number, number] },
    { bytes, base }: { readonly bytes: Uint8Array; readonly base: number },
  ): void {
    builder.begin(code, event);
    if (middle > before) this.#image(bytes, before - base, builder.writer);
    builder.middle();
    if (after > middle) this.#image(bytes, middle - base, builder.writer);
    builder.end();
  }

  /** Appends the row image at `start` with masked cells. */
  #image(bytes: Uint8Array, start: number, out: ByteWriter): void {
    const places = this.#places;
    const columns = this.#schema.columns.length;
    locateCells(this.#widths, { bytes, start }, columns, places);
    const states = out.length;
    out.raw(bytes, start, start + stateBytes(columns));
    for (let column = 0; column < columns; column++) {
      const from = places[2 * column] ?? noCell.absent;
      const to = places[2 * column + 1] ?? 0;
      const mask = this.#masks[column];
      if (mask === undefined || from === noCell.absent) {
        if (from >= 0) out.raw(bytes, from, to);
        continue;
      }
      const masked = mask(from === noCell.null ? null : textOf(bytes, from, to));
      setState(out.bytes, states, { column, state: masked === null ? cellState.null : cellState.value });
      if (masked !== null) this.#text(masked, out);
    }
  }

  #text(text: string, out: ByteWriter): void {
    const encoded = Buffer.from(text, 'utf8');
    const scratch = this.#scratch;
    scratch.clear();
    scratch.varint(encoded.length);
    out.raw(scratch.bytes, 0, scratch.length);
    out.raw(encoded, 0, encoded.length);
  }
}

/** The text of a cell that begins with its length. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  let at = start;
  while ((bytes[at++] ?? 0) >= 0x80);
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('utf8');
}

function setState(bytes: Uint8Array, start: number, { column, state }: { readonly column: number; readonly state: number }): void {
  const at = start + (column >> 2);
  const shift = (column & 3) * 2;
  bytes[at] = ((bytes[at] ?? 0) & ~(3 << shift)) | (state << shift);
}

const codes = new Map<number | undefined, Op>(Object.values(op).map((code) => [code, code]));

function codeOf(stored: number | undefined): Op {
  return codes.get(stored) ?? op.insert;
}
