import { Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { fieldIndex, fieldOf, fieldValue } from '../connect/schema.ts';
import { invalidProperty } from './plugin.ts';

/** A place in an envelope that `add.fields` or `add.headers` names. */
export interface FieldReference {
  /** The name that it is given, and the one that it has. */
  readonly name: string;
  readonly field: string;
  /** Optional, without a default; undefined: envelopes of this schema have no such field. */
  readonly schemaIn: (envelope: Schema) => Schema | undefined;
  readonly valueIn: (envelope: Struct) => ConnectValue;
}

const ofEnvelope = ['op', 'ts_ms', 'ts_us', 'ts_ns'];
const ofTransaction = ['id', 'total_order', 'data_collection_order'];

/**
 * Reads `op`, `source.ts_ms`, `table:alias`: a name without a block is of the envelope, the transaction or else the source
 * block; what a block does not have is looked for in the envelope. @throws CONFIG_INVALID
 */
export function parseReferences(property: string, list: readonly string[], prefix: string): readonly FieldReference[] {
  return list.map((text) => {
    const [path = '', alias, ...more] = text.split(':').map((part) => part.trim());
    const parts = path.split('.');
    if (path === '' || more.length > 0 || parts.length > 2) throw invalidProperty(property, `${text} is no field`);
    const field = parts.at(-1) ?? path;
    const block = parts.length === 2 ? parts[0] : blockOf(field);
    return reference(prefix + (alias ?? parts.join('_')), block, field);
  });
}

function blockOf(field: string): string | undefined {
  if (ofEnvelope.includes(field)) return undefined;
  return ofTransaction.includes(field) ? 'transaction' : 'source';
}

function reference(name: string, block: string | undefined, field: string): FieldReference {
  return {
    name,
    field,
    schemaIn(envelope) {
      const within = block === undefined ? envelope : fieldOf(envelope, block)?.schema;
      const found = (within === undefined ? undefined : fieldOf(within, field)?.schema) ?? fieldOf(envelope, field)?.schema;
      if (found === undefined) return undefined;
      const { default: _default, ...schema } = found;
      return { ...schema, optional: true };
    },
    valueIn(envelope) {
      const within = block === undefined ? envelope : fieldValue(envelope, block, false);
      if (!(within instanceof Struct)) return null;
      return fieldValue(fieldIndex(within.schema, field) < 0 ? envelope : within, field, false);
    },
  };
}
