import type { ByteWriter } from '../../base/byte-writer.ts';
import { isMillraceError, MillraceError } from '../../base/errors.ts';
import { cellState, stateBytes } from '../../event/change-batch.ts';
import { guessedNullType } from '../../event/guessed.ts';
import { tableName, type TableSchema } from '../../event/table-schema.ts';
import { compileCell } from './decode-cell.ts';
import type { ReadCell } from './decode-temporal.ts';
import { JsonReader } from './json-reader.ts';
import { keyFieldsOf, scalarKeyName, valueFormOf } from './record-columns.ts';
import type { RecordSchema } from './record-schema.ts';
import { MemberFinder, noValue, type MemberPlace } from './row-reader.ts';
import type { SourceModes } from './value-form.ts';

/** Names of members by which a record tells what has become of its row, and which are no columns. */
const deletedMember = '__deleted';

/** Members that ExtractNewRecordState adds (`__op`, `__source_ts_ms` …); one of a column's name is the column. */
export function isMetadataMember(name: string): boolean {
  return name.startsWith('__') && name !== scalarKeyName && name !== physicalTableMember;
}

/** What ByLogicalTableRouter puts into the key, so that rows of several tables differ. */
const physicalTableMember = '__dbz__physicalTableIdentifier';

export interface PlanParts {
  readonly schema: TableSchema;
  /** Schema of the row struct; undefined: the records have none. */
  readonly row: RecordSchema | undefined;
  readonly key: RecordSchema | undefined;
  readonly modes: SourceModes;
}

/** Where the images of one change are to be found; `RowPlan` fills it. */
export interface FoundRow {
  readonly reader: JsonReader;
  readonly starts: Int32Array;
}

/** How records of one form become row images of one definition of a table; compiled once, used for each record. */
export class RowPlan {
  readonly schema: TableSchema;
  readonly row: FoundRow;
  readonly key: FoundRow;
  readonly #parts: PlanParts;
  readonly #rowFinder: MemberFinder;
  readonly #keyFinder: MemberFinder;
  readonly #rowCells: readonly ReadCell[];
  readonly #keyCells: readonly ReadCell[];
  readonly #isKey: Uint8Array;
  readonly #placeholders: readonly Uint8Array[];
  readonly #deletedPlace: number;

  constructor(parts: PlanParts) {
    const { schema, row, key, modes } = parts;
    const { columns, primaryKey } = schema;
    this.#parts = parts;
    this.schema = schema;
    const placeOf = (name: string): number => columns.findIndex((column) => column.name === name);
    this.#deletedPlace = columns.length;
    const members: MemberPlace[] = (row?.fields.map(({ field }) => field) ?? columns.map(({ name }) => name)).map((name) => ({
      name,
      place: placeOf(name) < 0 && name === deletedMember ? columns.length : placeOf(name),
    }));
    if (row === undefined) members.push({ name: deletedMember, place: columns.length });
    const keyFields = keyFieldsOf(key);
    const keyNames = key === undefined ? primaryKey.map((position) => columns[position]?.name ?? '') : keyFields.map(({ field }) => field);
    this.#rowFinder = new MemberFinder(members, columns.length + 1);
    this.#keyFinder = new MemberFinder(
      keyNames.map((name) => ({ name, place: placeOf(name) })),
      columns.length,
    );
    this.row = { reader: new JsonReader(new Uint8Array(0)), starts: this.#rowFinder.starts };
    this.key = { reader: new JsonReader(new Uint8Array(0)), starts: this.#keyFinder.starts };
    const cells = (fields: readonly RecordSchema[] | undefined): readonly ReadCell[] =>
      columns.map((column) => {
        const field = fields?.find((each) => each.field === column.name);
        // a column that no record of this form has is never read
        if (fields !== undefined && field === undefined) return neverRead;
        return compileCell(column.type, valueFormOf(column.type, field, modes));
      });
    this.#rowCells = cells(row?.fields);
    this.#keyCells = cells(key === undefined ? undefined : keyFields);
    this.#isKey = Uint8Array.from(columns, (_column, position) => (primaryKey.includes(position) ? 1 : 0));
    const { unavailable } = modes;
    this.#placeholders = [unavailable, Buffer.from(unavailable).toString('base64'), Buffer.from(unavailable).toString('hex')].map((text) =>
      Buffer.from(`"${text}"`),
    );
  }

  /** Whether records of this form are read by this plan. */
  fits({ schema, row, key }: Omit<PlanParts, 'modes'>): boolean {
    const parts = this.#parts;
    return parts.schema === schema && parts.row === row && parts.key === key;
  }

  /** Finds the row object at `start`. Returns a member that is neither column nor metadata, if there is one. */
  findRow(bytes: Uint8Array, start: number, end: number): string | undefined {
    const { reader } = this.row;
    reader.reset(bytes, start, end);
    this.#rowFinder.find(reader);
    const { unexpected } = this.#rowFinder;
    return unexpected === undefined || isMetadataMember(unexpected) ? undefined : unexpected;
  }

  /** Finds the key; a key that is no object is the column of `scalarKeyName`, or the table's only key column. */
  findKey(bytes: Uint8Array, start: number, end: number): void {
    const { reader, starts } = this.key;
    reader.reset(bytes, start, end);
    if (reader.peek() === 0x7b) {
      this.#keyFinder.find(reader);
      return;
    }
    this.#keyFinder.reset();
    const { columns, primaryKey } = this.schema;
    const scalar = columns.findIndex(({ name }) => name === scalarKeyName);
    const place = scalar >= 0 ? scalar : primaryKey.length === 1 ? (primaryKey[0] ?? -1) : -1;
    if (place >= 0) starts[place] = reader.peek() === 0x6e ? noValue.null : reader.at;
  }

  noKey(): void {
    this.#keyFinder.reset();
  }

  noRow(): void {
    this.#rowFinder.reset();
  }

  /** Whether the found row says that it was deleted. */
  get isDeleted(): boolean {
    const start = this.row.starts[this.#deletedPlace] ?? noValue.missing;
    if (start < 0) return false;
    const { bytes } = this.row.reader;
    // true, or "true"
    return bytes[start] === 0x74 || (bytes[start] === 0x22 && bytes[start + 1] === 0x74);
  }

  /** Whether the values of the found row are of the kinds that its columns were guessed to be. */
  get guessHolds(): boolean {
    const { columns } = this.schema;
    const { starts, reader } = this.row;
    for (let c = 0; c < columns.length; c++) {
      const start = starts[c] ?? noValue.missing;
      const column = columns[c];
      if (start < 0 || column === undefined) continue;
      if (column.nativeType === guessedNullType) return false;
      const { kind } = column.type;
      const first = reader.bytes[start] ?? 0;
      if (kind === 'text') continue;
      if (kind === 'int') {
        reader.at = start;
        const token = reader.integer();
        const after = reader.bytes[reader.at];
        if (token === undefined || after === 0x2e) return false;
      } else if (
        kind === 'double'
          ? first !== 0x2d && (first < 0x30 || first > 0x39)
          : kind === 'bit'
            ? first !== 0x74 && first !== 0x66
            : first !== 0x7b && first !== 0x5b
      ) {
        return false;
      }
    }
    return true;
  }

  /** Whether the found key alone has all columns of the table's key. */
  get keyFindsRow(): boolean {
    for (const position of this.schema.primaryKey) if ((this.key.starts[position] ?? -1) < 0) return false;
    return true;
  }

  /** Whether each of the key's columns is in the found row or key. */
  get hasKey(): boolean {
    const { starts } = this.row;
    for (const position of this.schema.primaryKey) {
      if ((starts[position] ?? -1) < 0 && (this.key.starts[position] ?? -1) < 0) return false;
    }
    return true;
  }

  /** Appends the image of the found row, with what it lacks from the found key. */
  writeRow(to: ByteWriter): void {
    this.#write(to, false);
  }

  /** Appends an image of the key's columns alone, the others absent. */
  writeKey(to: ByteWriter): void {
    this.#write(to, true);
  }

  #write(to: ByteWriter, keyOnly: boolean): void {
    const count = this.schema.columns.length;
    const stateAt = to.length;
    const states = stateBytes(count);
    to.reserve(states);
    to.bytes.fill(0, stateAt, stateAt + states);
    to.length += states;
    const { starts } = this.row;
    for (let c = 0; c < count; c++) {
      let state: number = cellState.absent;
      if (!keyOnly || this.#isKey[c] === 1) {
        const at = starts[c] ?? noValue.missing;
        if (at >= 0) state = this.#writeCell(to, { found: this.row, cells: this.#rowCells }, c);
        else if (at === noValue.null) state = this.#nullState(c);
        else if ((this.key.starts[c] ?? noValue.missing) >= 0) state = this.#writeCell(to, { found: this.key, cells: this.#keyCells }, c);
        else if (this.key.starts[c] === noValue.null) state = cellState.null;
      }
      if (state === cellState.value) continue;
      const byte = stateAt + (c >> 2);
      to.bytes[byte] = (to.bytes[byte] ?? 0) | (state << ((c & 3) * 2));
    }
  }

  #nullState(column: number): number {
    const { columns } = this.schema;
    if (columns[column]?.nullable === true || this.#isKey[column] === 1) return cellState.null;
    throw new MillraceError(
      'CONVERSION_FAILED',
      `column ${columns[column]?.name} of ${tableName(this.schema)} is NOT NULL and the record has null`,
    );
  }

  #writeCell(to: ByteWriter, { found, cells }: { found: FoundRow; cells: readonly ReadCell[] }, column: number): number {
    const { reader } = found;
    const start = found.starts[column] ?? 0;
    reader.at = start;
    if (this.#isPlaceholder(reader.bytes, start)) return cellState.absent;
    try {
      cells[column]?.(reader, to);
    } catch (error) {
      if (!isMillraceError(error, 'CONVERSION_FAILED')) throw error;
      const name = this.schema.columns[column]?.name;
      throw new MillraceError('CONVERSION_FAILED', `column ${name} of ${tableName(this.schema)}: ${error.message}`, {
        cause: error,
        nextStep: error.nextStep,
        context: { table: tableName(this.schema), column: name },
      });
    }
    return cellState.value;
  }

  #isPlaceholder(bytes: Uint8Array, start: number): boolean {
    if (bytes[start] !== 0x22) return false;
    for (const placeholder of this.#placeholders) {
      let i = 1;
      while (i < placeholder.length && bytes[start + i] === placeholder[i]) i++;
      if (i === placeholder.length) return true;
    }
    return false;
  }
}

function neverRead(): void {
  throw new MillraceError('INTERNAL', 'a value was found of a column that the records do not have');
}
