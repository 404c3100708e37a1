import type { NativeType } from '../column-type.ts';
import type { CharsetClause } from './statement.ts';
import { UnreadableDdl, type TokenReader } from './token-reader.ts';

/** A type as written, synonyms resolved. */
export interface TypeClause {
  readonly type: NativeType;
  readonly charset: CharsetClause;
  /** SERIAL: BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE. */
  readonly serial: boolean;
}

/** Names of one word that mean another type. */
const synonyms: Readonly<Record<string, string>> = {
  INT1: 'TINYINT',
  INT2: 'SMALLINT',
  INT3: 'MEDIUMINT',
  MIDDLEINT: 'MEDIUMINT',
  INT4: 'INT',
  INTEGER: 'INT',
  INT8: 'BIGINT',
  DEC: 'DECIMAL',
  NUMERIC: 'DECIMAL',
  FIXED: 'DECIMAL',
  NUMBER: 'DECIMAL',
  FLOAT4: 'FLOAT',
  FLOAT8: 'DOUBLE',
  CHARACTER: 'CHAR',
  VARCHARACTER: 'VARCHAR',
  VARCHAR2: 'VARCHAR',
  CLOB: 'LONGTEXT',
  RAW: 'VARBINARY',
  GEOMETRYCOLLECTION: 'GEOMCOLLECTION',
};

const known = new Set(
  `TINYINT SMALLINT MEDIUMINT INT BIGINT BIT FLOAT DOUBLE DECIMAL YEAR DATE TIME DATETIME TIMESTAMP CHAR VARCHAR TINYTEXT TEXT
   MEDIUMTEXT LONGTEXT ENUM SET BINARY VARBINARY TINYBLOB BLOB MEDIUMBLOB LONGBLOB JSON GEOMETRY POINT LINESTRING POLYGON
   MULTIPOINT MULTILINESTRING MULTIPOLYGON GEOMCOLLECTION VECTOR UUID INET4 INET6 XMLTYPE`.split(/\s+/),
);

const national: CharsetClause = { charset: 'utf8mb3' };

/** Reads a data type with its length, labels, sign and character set. */
export function readType(reader: TokenReader, { realAsFloat }: { readonly realAsFloat: boolean }): TypeClause {
  // MariaDB names the type of another dialect so: mariadb_schema.date
  if (/^(MARIADB|MYSQL)_SCHEMA$/.test(reader.peek().keyword) && reader.seesSymbol('.', 1)) {
    reader.next();
    reader.next();
  }
  const word = reader.next();
  switch (word.keyword) {
    case 'BOOL':
    case 'BOOLEAN':
      return finish(reader, { name: 'TINYINT', args: [1], written: word.keyword });
    case 'SERIAL':
      return {
        ...finish(reader, { name: 'BIGINT' }),
        type: native({ name: 'BIGINT', unsigned: true, written: 'BIGINT UNSIGNED' }),
        serial: true,
      };
    case 'REAL':
      return finish(reader, { name: realAsFloat ? 'FLOAT' : 'DOUBLE', args: readArgs(reader), written: 'REAL' });
    case 'DOUBLE': {
      const written = reader.accept('PRECISION') ? 'DOUBLE PRECISION' : 'DOUBLE';
      return finish(reader, { name: 'DOUBLE', args: readArgs(reader), written });
    }
    case 'NATIONAL':
      return readNational(reader);
    case 'NCHAR': {
      const varying = reader.acceptOneOf('VARYING', 'VARCHAR', 'VARCHARACTER');
      const written = varying === undefined ? 'NCHAR' : `NCHAR ${varying}`;
      return finish(reader, { name: varying === undefined ? 'CHAR' : 'VARCHAR', args: readArgs(reader), charset: national, written });
    }
    case 'NVARCHAR':
      return finish(reader, { name: 'VARCHAR', args: readArgs(reader), charset: national, written: 'NVARCHAR' });
    case 'CHAR':
    case 'CHARACTER': {
      const varying = reader.accept('VARYING');
      const written = varying ? `${word.keyword} VARYING` : word.keyword;
      return finish(reader, { name: varying ? 'VARCHAR' : 'CHAR', args: readArgs(reader), written });
    }
    case 'LONG':
      return readLong(reader);
    case 'ENUM':
    case 'SET':
      return finish(reader, { name: word.keyword, ...readLabels(reader), written: word.keyword });
    default: {
      const name = synonyms[word.keyword] ?? word.keyword;
      if (!known.has(name)) throw new UnreadableDdl('a data type', word);
      return finish(reader, { name, args: readArgs(reader), written: word.keyword });
    }
  }
}

function readLong(reader: TokenReader): TypeClause {
  if (reader.accept('VARBINARY')) return finish(reader, { name: 'MEDIUMBLOB', written: 'LONG VARBINARY' });
  const char = reader.acceptOneOf('CHAR', 'CHARACTER');
  if (char !== undefined) reader.expect('VARYING');
  const word = char === undefined ? reader.acceptOneOf('VARCHAR', 'VARCHARACTER') : `${char} VARYING`;
  return finish(reader, { name: 'MEDIUMTEXT', written: word === undefined ? 'LONG' : `LONG ${word}` });
}

function readNational(reader: TokenReader): TypeClause {
  const word = reader.next().keyword;
  if (word !== 'CHAR' && word !== 'CHARACTER' && word !== 'VARCHAR' && word !== 'VARCHARACTER') {
    throw new UnreadableDdl('CHAR', reader.peek());
  }
  const isVarying = reader.accept('VARYING');
  const written = `NATIONAL ${word}${isVarying ? ' VARYING' : ''}`;
  const name = isVarying || word.startsWith('VAR') ? 'VARCHAR' : 'CHAR';
  return finish(reader, { name, args: readArgs(reader), charset: national, written });
}

interface Parts extends Partial<NativeType> {
  readonly name: string;
  readonly charset?: CharsetClause;
}

function native({ name, args = [], labels = [], unsigned = false, zerofill = false, written, writtenLabels }: Parts): NativeType {
  return {
    name,
    args,
    labels,
    unsigned: unsigned || zerofill,
    zerofill,
    ...(written === undefined ? {} : { written }),
    ...(writtenLabels === undefined ? {} : { writtenLabels }),
  };
}

/** The attributes that belong to the type; COLLATE may also stand among those of the column. */
function finish(reader: TokenReader, parts: Parts): TypeClause {
  let unsigned = false;
  let zerofill = false;
  let charset = parts.charset ?? {};
  let written = parts.written;
  for (;;) {
    const sign = reader.acceptOneOf('UNSIGNED', 'SIGNED', 'ZEROFILL');
    if (sign !== undefined) {
      unsigned ||= sign === 'UNSIGNED';
      zerofill ||= sign === 'ZEROFILL';
      if (written !== undefined) written += ` ${sign}`;
    } else {
      const more = readCharsetAttribute(reader);
      if (more === undefined) break;
      charset = { ...charset, ...more };
    }
  }
  return { type: native({ ...parts, unsigned, zerofill, ...(written === undefined ? {} : { written }) }), charset, serial: false };
}

/** `CHARACTER SET x`, `CHARSET x`, `ASCII`, `UNICODE`, `BYTE`, `BINARY`; undefined if none comes next. */
export function readCharsetAttribute(reader: TokenReader): CharsetClause | undefined {
  if (reader.accept('CHARACTER', 'SET') || reader.accept('CHAR', 'SET') || reader.accept('CHARSET')) {
    return { charset: charsetName(reader) };
  }
  if (reader.accept('ASCII')) return { charset: 'latin1', byWord: true };
  if (reader.accept('UNICODE')) return { charset: 'ucs2', byWord: true };
  if (reader.accept('BYTE')) return { charset: 'binary', byWord: true };
  if (reader.accept('BINARY')) return { binary: true };
  return undefined;
}

/** A character set's or collation's name: a word, a quoted name or a text; DEFAULT is `default`. */
export function charsetName(reader: TokenReader): string {
  reader.acceptSymbol('=');
  const token = reader.next();
  if (token.kind !== 'word' && token.kind !== 'name' && token.kind !== 'text') throw new UnreadableDdl('a character set', token);
  return token.value.toLowerCase();
}

function readArgs(reader: TokenReader): number[] {
  if (!reader.acceptSymbol('(')) return [];
  const args = [reader.integer()];
  while (reader.acceptSymbol(',')) args.push(reader.integer());
  reader.expectSymbol(')');
  return args;
}

function readLabels(reader: TokenReader): Pick<NativeType, 'labels' | 'writtenLabels'> {
  const labels: string[] = [];
  const writtenLabels: string[] = [];
  reader.expectSymbol('(');
  do {
    const token = reader.next();
    if (token.kind === 'hex') labels.push(Buffer.from(token.value, 'hex').toString());
    else if (token.kind === 'text') labels.push(token.value);
    else throw new UnreadableDdl('a label', token);
    writtenLabels.push(reader.tokens.sql.slice(token.start, token.end));
  } while (reader.acceptSymbol(','));
  reader.expectSymbol(')');
  return writtenLabels.every((label) => label.startsWith("'")) ? { labels } : { labels, writtenLabels };
}
