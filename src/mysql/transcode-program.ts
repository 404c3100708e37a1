import { MillraceError } from '../base/errors.ts';
import type { ByteWriter } from '../base/byte-writer.ts';
import { columnType, columnTypeName } from '../binlog/column-types.ts';
import type { TableMap } from '../binlog/table-map.ts';
import { tableName } from '../event/table-schema.ts';
import { stateBytes } from '../event/change-batch.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import type { CapturedTable } from './captured.ts';
import type { Charset, Charsets } from './charset.ts';
import { formatInet4, formatInet6, formatUuid } from './address-text.ts';

/** What to do with the bytes of one binlog column; see `transcodeImage`. */
export const code = {
  copy: 0,
  int24: 1,
  year: 2,
  date: 3,
  datetime: 4,
  timestamp: 5,
  time: 6,
  oldTimestamp: 7,
  oldDatetime: 8,
  oldTime: 9,
  decimal: 10,
  bit: 11,
  text: 12,
  charset: 13,
  padded: 14,
  formatted: 15,
  enum: 16,
  set: 17,
  json: 18,
  compressed: 19,
} as const;

/** A table's columns as a TABLE_MAP event tells them: `columnType` and its number, by position. */
export type BinlogColumns = Pick<TableMap, 'types' | 'metadata'>;

/** How the row images under one TABLE_MAP become cells under one schema: arrays by binlog column. */
export interface TranscodeProgram {
  /** The captured columns. */
  readonly schema: TableSchema;
  readonly columns: number;
  /** Bytes of the state map. */
  readonly states: number;
  readonly codes: Uint8Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Position among the captured columns, or -1. */
  readonly targets: Int32Array;
  readonly labels: readonly (readonly Uint8Array[] | undefined)[];
  readonly charsets: readonly (Charset | undefined)[];
  readonly formats: readonly (((writer: ByteWriter, bytes: Uint8Array) => void) | undefined)[];
}

export interface TranscodeOptions {
  readonly charsets: Charsets;
  /** As `SourceConfig.marksDocuments`. */
  readonly marksDocuments?: boolean | undefined;
}

const encoder = new TextEncoder();

/**
 * Compiles how to read a table's rows.
 * @throws SCHEMA_MISMATCH when the binlog's columns are not those of the model
 * @throws BINLOG_UNSUPPORTED for a column type or character set that cannot be read
 */
export function compileTranscoder(binlog: BinlogColumns, table: CapturedTable, options: TranscodeOptions): TranscodeProgram {
  const { full, captured, positions } = table;
  const columns = binlog.types.length;
  if (columns !== full.columns.length) {
    throw new MillraceError(
      'SCHEMA_MISMATCH',
      `the binlog has ${columns} columns of ${tableName(full)}, its model has ${full.columns.length}`,
    );
  }
  const targets = new Int32Array(columns).fill(-1);
  positions.forEach((position, index) => (targets[position] = index));
  const codes = new Uint8Array(columns);
  const first = new Int32Array(columns);
  const second = new Int32Array(columns);
  const labels: (readonly Uint8Array[] | undefined)[] = [];
  const charset: (Charset | undefined)[] = [];
  const formats: TranscodeProgram['formats'][number][] = [];
  full.columns.forEach((column, index) => {
    const step = columnStep(column, { type: binlog.types[index] ?? 0, metadata: binlog.metadata[index] ?? 0 }, options);
    if (step === undefined) {
      throw new MillraceError(
        'SCHEMA_MISMATCH',
        `column ${column.name} of ${tableName(full)} is ${column.nativeType} in the model, but ${columnTypeName(binlog.types[index] ?? 0)} in the binlog`,
      );
    }
    codes[index] = step.code;
    first[index] = step.first ?? 0;
    second[index] = step.second ?? 0;
    labels.push(step.labels);
    charset.push(step.charset);
    formats.push(step.format);
  });
  return {
    schema: captured,
    columns,
    states: stateBytes(captured.columns.length),
    codes,
    first,
    second,
    targets,
    labels,
    charsets: charset,
    formats,
  };
}

interface Step {
  readonly code: number;
  readonly first?: number;
  readonly second?: number;
  readonly labels?: readonly Uint8Array[];
  readonly charset?: Charset;
  readonly format?: (writer: ByteWriter, bytes: Uint8Array) => void;
}

interface BinlogColumn {
  readonly type: number;
  readonly metadata: number;
}

/** `undefined`: the binlog's type cannot be what the model says. */
function columnStep(column: Column, binlog: BinlogColumn, { charsets, marksDocuments }: TranscodeOptions): Step | undefined {
  const { type } = column;
  switch (type.kind) {
    case 'int':
      return intStep(type.bits, type.unsigned, binlog.type);
    case 'float':
      return binlog.type === columnType.float ? { code: code.copy, first: 4 } : undefined;
    case 'double':
      return binlog.type === columnType.double ? { code: code.copy, first: 8 } : undefined;
    case 'decimal': {
      if (binlog.type !== columnType.newdecimal) return undefined;
      const shape = (type.precision << 8) | type.scale;
      return binlog.metadata === (type.precision | (type.scale << 8)) ? { code: code.decimal, first: shape } : undefined;
    }
    case 'bit': {
      if (binlog.type !== columnType.bit) return undefined;
      return binlog.metadata === type.length ? { code: code.bit, first: (type.length + 7) >> 3 } : undefined;
    }
    case 'year':
      return binlog.type === columnType.year ? { code: code.year } : undefined;
    case 'date':
      return binlog.type === columnType.date || binlog.type === columnType.newdate ? { code: code.date } : undefined;
    case 'time':
    case 'datetime':
    case 'timestamp':
      return temporalStep(type.kind, type.fsp, binlog);
    case 'enum':
    case 'set':
      return labelStep(type, binlog);
    case 'text':
      return textStep(column, binlog, charsets);
    case 'json': {
      if (binlog.type === columnType.json) return { code: code.json, first: binlog.metadata, second: marksDocuments === true ? 1 : 0 };
      return textStep(column, binlog, charsets);
    }
    case 'binary':
      return binaryStep(type.fixedLength, binlog);
    case 'geometry':
    case 'vector': {
      const size = prefixSize(binlog);
      return size === undefined ? undefined : { code: code.text, first: size };
    }
    case 'uuid':
      return formattedStep(binlog, formatUuid);
    case 'inet4':
      return formattedStep(binlog, formatInet4);
    case 'inet6':
      return formattedStep(binlog, formatInet6);
  }
}

function intStep(bits: number, unsigned: boolean, type: number): Step | undefined {
  switch (type) {
    case columnType.tiny:
      return bits === 8 ? { code: code.copy, first: 1 } : undefined;
    case columnType.short:
      return bits === 16 ? { code: code.copy, first: 2 } : undefined;
    case columnType.int24:
      return bits === 24 ? { code: code.int24, first: unsigned ? 1 : 0 } : undefined;
    case columnType.long:
      return bits === 32 ? { code: code.copy, first: 4 } : undefined;
    case columnType.longlong:
      return bits === 64 ? { code: code.copy, first: 8 } : undefined;
    default:
      return undefined;
  }
}

function temporalStep(kind: 'time' | 'datetime' | 'timestamp', fsp: number, { type, metadata }: BinlogColumn): Step | undefined {
  const size = (fsp + 1) >> 1;
  switch (type) {
    case columnType.time2:
      return kind === 'time' && metadata === fsp ? { code: code.time, first: size } : undefined;
    case columnType.datetime2:
      return kind === 'datetime' && metadata === fsp ? { code: code.datetime, first: size } : undefined;
    case columnType.timestamp2:
      return kind === 'timestamp' && metadata === fsp ? { code: code.timestamp, first: size } : undefined;
    case columnType.time:
      return kind === 'time' && fsp === 0 ? { code: code.oldTime } : undefined;
    case columnType.datetime:
      return kind === 'datetime' && fsp === 0 ? { code: code.oldDatetime } : undefined;
    case columnType.timestamp:
      return kind === 'timestamp' && fsp === 0 ? { code: code.oldTimestamp } : undefined;
    default:
      return undefined;
  }
}

function labelStep(
  type: { kind: 'enum' | 'set'; labels: readonly string[] },
  { type: binlogType, metadata }: BinlogColumn,
): Step | undefined {
  const labels = type.labels.map((label) => encoder.encode(label));
  if (binlogType === columnType.enum && type.kind === 'enum') return { code: code.enum, first: metadata, labels };
  if (binlogType === columnType.set && type.kind === 'set') return { code: code.set, first: metadata, labels };
  return undefined;
}

function textStep(column: Column, binlog: BinlogColumn, charsets: Charsets): Step | undefined {
  const size = prefixSize(binlog);
  if (size === undefined) return undefined;
  const charset = charsets.find(column.charset ?? 'utf8mb4');
  if (isCompressed(binlog)) return { code: code.compressed, first: size, ...(charset === undefined ? {} : { charset }) };
  return charset === undefined ? { code: code.text, first: size } : { code: code.charset, first: size, charset };
}

function binaryStep(fixedLength: number | undefined, binlog: BinlogColumn): Step | undefined {
  const size = prefixSize(binlog);
  if (size === undefined) return undefined;
  if (isCompressed(binlog)) return { code: code.compressed, first: size };
  return fixedLength === undefined ? { code: code.text, first: size } : { code: code.padded, first: size, second: fixedLength };
}

function formattedStep(binlog: BinlogColumn, format: Step['format'] & {}): Step | undefined {
  const size = prefixSize(binlog);
  return size === undefined ? undefined : { code: code.formatted, first: size, format };
}

function isCompressed({ type }: BinlogColumn): boolean {
  return type === columnType.blobCompressed || type === columnType.varcharCompressed;
}

/** Bytes of the length before a value. */
function prefixSize({ type, metadata }: BinlogColumn): number | undefined {
  switch (type) {
    case columnType.varchar:
    case columnType.varcharCompressed:
    case columnType.string:
      return metadata > 255 ? 2 : 1;
    case columnType.tinyBlob:
    case columnType.blob:
    case columnType.mediumBlob:
    case columnType.longBlob:
    case columnType.blobCompressed:
    case columnType.geometry:
    case columnType.vector:
    case columnType.json:
      return metadata;
    default:
      return undefined;
  }
}
