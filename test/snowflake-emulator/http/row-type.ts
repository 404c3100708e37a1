import type { OutputColumn } from '../compile/typed.ts';

/** A column as the driver wants it described. */
export function rowType(column: OutputColumn): unknown {
  const { type, name, nullable } = column;
  const base = {
    name,
    database: '',
    schema: '',
    table: '',
    nullable,
    precision: null,
    scale: null,
    length: null,
    byteLength: null,
    collation: null,
  };
  switch (type.kind) {
    case 'number':
      return { ...base, type: 'fixed', precision: type.precision, scale: type.scale };
    case 'float':
      return { ...base, type: 'real' };
    case 'text':
      return { ...base, type: 'text', length: type.length, byteLength: type.length * 4 };
    case 'binary':
      return { ...base, type: 'binary', length: type.length, byteLength: type.length };
    case 'time':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return { ...base, type: type.kind, precision: 0, scale: type.scale };
    case 'null':
      return { ...base, type: 'text', length: 16_777_216, byteLength: 16_777_216 };
    case 'boolean':
    case 'date':
    case 'variant':
    case 'object':
    case 'array':
      return { ...base, type: type.kind };
  }
}
