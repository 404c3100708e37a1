import { readReferences } from './read-column.ts';
import type { KeyDefinition, KeyPart } from './statement.ts';
import { UnreadableDdl, type TokenReader } from './token-reader.ts';

/**
 * Reads a key or a constraint of CREATE TABLE or ALTER TABLE … ADD; undefined if a column comes next, null for what is
 * neither key nor column: a CHECK.
 */
export function readTableKey(reader: TokenReader): KeyDefinition | null | undefined {
  let constraint: string | undefined;
  if (reader.accept('CONSTRAINT')) {
    reader.ifNotExists();
    if (!reader.seesOneOf('PRIMARY', 'UNIQUE', 'FOREIGN', 'CHECK')) constraint = reader.name();
  }
  if (reader.sees('CHECK') && reader.seesSymbol('(', 1)) {
    reader.next();
    reader.group();
    reader.accept('NOT', 'ENFORCED');
    reader.accept('ENFORCED');
    return null;
  }
  if (reader.accept('PRIMARY', 'KEY')) return readBody(reader, { kind: 'primary' });
  if (reader.accept('UNIQUE')) {
    reader.acceptOneOf('INDEX', 'KEY');
    return readBody(reader, { kind: 'unique', constraint });
  }
  if (reader.accept('FOREIGN', 'KEY')) {
    const key = readBody(reader, { kind: 'foreign', constraint });
    readReferences(reader);
    return key;
  }
  if (reader.sees('FULLTEXT') || reader.sees('SPATIAL') || (reader.sees('VECTOR') && ['INDEX', 'KEY'].includes(reader.peek(1).keyword))) {
    const word = reader.next().keyword;
    reader.acceptOneOf('INDEX', 'KEY');
    return readBody(reader, { kind: word === 'FULLTEXT' ? 'fulltext' : word === 'SPATIAL' ? 'spatial' : 'vector' });
  }
  if (constraint === undefined && reader.acceptOneOf('INDEX', 'KEY') !== undefined) return readBody(reader, { kind: 'index' });
  if (constraint !== undefined) throw new UnreadableDdl('a constraint', reader.peek());
  return undefined;
}

interface Head {
  readonly kind: KeyDefinition['kind'];
  readonly constraint?: string | undefined;
}

/** `[IF NOT EXISTS] [name] [USING t] (parts) [options]`. */
function readBody(reader: TokenReader, { kind, constraint }: Head): KeyDefinition {
  const ifNotExists = reader.ifNotExists();
  const named = !reader.seesSymbol('(') && !seesUsing(reader);
  const own = named ? reader.name() : undefined;
  const name = kind === 'foreign' ? (constraint ?? own) : (own ?? constraint);
  const usingHash = readUsing(reader);
  const { parts, withoutOverlaps } = readParts(reader);
  const hashAfter = readKeyOptions(reader);
  return {
    kind,
    parts,
    ...(name === undefined ? {} : { name }),
    ...(ifNotExists ? { ifNotExists } : {}),
    ...(usingHash || hashAfter ? { usingHash: true } : {}),
    ...(withoutOverlaps === undefined ? {} : { withoutOverlaps }),
  };
}

/** CREATE [UNIQUE …] INDEX, from the name on. */
export function readCreateIndex(
  reader: TokenReader,
  kind: KeyDefinition['kind'],
): { key: KeyDefinition; table: ReturnType<TokenReader['tableId']> } {
  const ifNotExists = reader.ifNotExists();
  const name = reader.name();
  const usingHash = readUsing(reader);
  reader.expect('ON');
  const table = reader.tableId();
  const { parts } = readParts(reader);
  const hashAfter = readKeyOptions(reader);
  return { table, key: { kind, name, parts, ifNotExists, ...(usingHash || hashAfter ? { usingHash: true } : {}) } };
}

function seesUsing(reader: TokenReader): boolean {
  return reader.seesOneOf('USING', 'TYPE') && ['BTREE', 'HASH', 'RTREE'].includes(reader.peek(1).keyword);
}

function readUsing(reader: TokenReader): boolean {
  if (!seesUsing(reader)) return false;
  reader.next();
  return reader.next().keyword === 'HASH';
}

function readParts(reader: TokenReader): { parts: KeyPart[]; withoutOverlaps?: string } {
  const parts: KeyPart[] = [];
  let withoutOverlaps: string | undefined;
  reader.expectSymbol('(');
  do {
    if (reader.acceptGroup()) {
      parts.push({ column: null });
    } else {
      const column = reader.name();
      if (reader.accept('WITHOUT', 'OVERLAPS')) {
        withoutOverlaps = column;
        continue;
      }
      let length: number | undefined;
      if (reader.acceptSymbol('(')) {
        length = reader.integer();
        reader.expectSymbol(')');
      }
      parts.push({ column, ...(length === undefined ? {} : { length }) });
    }
    reader.acceptOneOf('ASC', 'DESC');
  } while (reader.acceptSymbol(','));
  reader.expectSymbol(')');
  return { parts, ...(withoutOverlaps === undefined ? {} : { withoutOverlaps }) };
}

/** Gives whether USING HASH is among them. ALGORITHM and LOCK belong to the statement. */
function readKeyOptions(reader: TokenReader): boolean {
  let hash = false;
  for (;;) {
    if (seesUsing(reader)) {
      hash = readUsing(reader);
    } else if (reader.accept('WITH', 'PARSER')) {
      reader.name();
    } else if (reader.acceptOneOf('VISIBLE', 'INVISIBLE', 'IGNORED') !== undefined || reader.accept('NOT', 'IGNORED')) {
      continue;
    } else if (reader.seesOneOf('REFERENCES', 'ALGORITHM', 'LOCK', 'WAIT', 'NOWAIT') || !reader.seesName()) {
      return hash;
    } else if (reader.peek(1).kind === 'text' || reader.peek(1).kind === 'number' || reader.seesSymbol('=', 1)) {
      // COMMENT 'x', KEY_BLOCK_SIZE = 8, ENGINE_ATTRIBUTE = '{}', MariaDB's M=8 DISTANCE=cosine
      reader.next();
      reader.acceptSymbol('=');
      reader.next();
    } else {
      return hash;
    }
  }
}
