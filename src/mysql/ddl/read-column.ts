import { charsetName, readCharsetAttribute, readType } from './read-type.ts';
import type { ColumnDefinition, DefaultValue } from './statement.ts';
import { TokenReader, UnreadableDdl } from './token-reader.ts';

/** What of sql_mode changes how a definition is read. */
export interface ColumnRules {
  readonly realAsFloat: boolean;
}

type Draft = { -readonly [K in keyof ColumnDefinition]: ColumnDefinition[K] };

/** Reads a column's name and definition; stops before a comma, a closing parenthesis, FIRST or AFTER. */
export function readColumn(reader: TokenReader, rules: ColumnRules): ColumnDefinition {
  return readDefinition(reader, { name: reader.name(), rules });
}

export function readDefinition(
  reader: TokenReader,
  { name, rules }: { readonly name: string; readonly rules: ColumnRules },
): ColumnDefinition {
  const { type, charset, serial } = readType(reader, rules);
  const column: Draft = { name, type, ...charset };
  if (serial) {
    column.nullable = false;
    column.autoIncrement = true;
    column.key = 'unique';
  }
  while (readAttribute(reader, column));
  return column;
}

/** Reads one attribute into `column`; false when the definition is over. */
function readAttribute(reader: TokenReader, column: Draft): boolean {
  const token = reader.peek();
  if (reader.atEnd() || (token.kind === 'symbol' && (token.value === ',' || token.value === ')'))) return false;
  switch (token.keyword) {
    case 'FIRST':
    case 'AFTER':
    case 'PARTITION':
      return false;
    case 'NOT':
      reader.next();
      if (reader.accept('NULL')) column.nullable = false;
      else reader.expect('SECONDARY');
      return true;
    case 'NULL':
      reader.next();
      column.nullable = true;
      return true;
    case 'DEFAULT':
      reader.next();
      column.default = readDefault(reader);
      return true;
    case 'ON':
      reader.expect('ON', 'UPDATE');
      readNow(reader);
      column.onUpdateNow = true;
      return true;
    case 'AUTO_INCREMENT':
      reader.next();
      column.autoIncrement = true;
      return true;
    case 'SERIAL':
      reader.expect('SERIAL', 'DEFAULT', 'VALUE');
      column.nullable = false;
      column.autoIncrement = true;
      column.key ??= 'unique';
      return true;
    case 'UNIQUE':
      reader.next();
      reader.accept('KEY');
      column.key ??= 'unique';
      return true;
    case 'PRIMARY':
    case 'KEY':
      reader.accept('PRIMARY');
      reader.expect('KEY');
      column.key = 'primary';
      return true;
    case 'COMMENT':
      reader.next();
      reader.acceptSymbol('=');
      column.comment = reader.text();
      return true;
    case 'COLLATE':
      reader.next();
      column.collation = charsetName(reader);
      return true;
    case 'GENERATED':
    case 'AS':
      readGenerated(reader, column);
      return true;
    case 'INVISIBLE':
    case 'VISIBLE':
      column.invisible = reader.next().keyword === 'INVISIBLE';
      return true;
    case 'REFERENCES':
      readReferences(reader);
      column.references = true;
      return true;
    case 'CONSTRAINT':
      reader.next();
      if (!reader.sees('CHECK')) reader.name();
      return true;
    case 'CHECK':
      reader.next();
      reader.group();
      reader.accept('NOT', 'ENFORCED');
      reader.accept('ENFORCED');
      return true;
    case 'WITH':
    case 'WITHOUT':
      reader.next();
      reader.expect('SYSTEM', 'VERSIONING');
      return true;
    case 'COLUMN_FORMAT':
    case 'STORAGE':
      reader.next();
      reader.next();
      return true;
    case 'SRID':
      reader.next();
      reader.integer();
      return true;
    case 'COMPRESSED':
      reader.next();
      if (reader.acceptSymbol('=')) reader.next();
      return true;
    default: {
      const charset = readCharsetAttribute(reader);
      if (charset === undefined) readEngineOption(reader);
      else Object.assign(column, charset);
      return true;
    }
  }
}

/** `name [=] value`, as ENGINE_ATTRIBUTE and MariaDB's options of storage engines. */
function readEngineOption(reader: TokenReader): void {
  const token = reader.next();
  if (token.kind !== 'word' && token.kind !== 'name') throw new UnreadableDdl('an attribute of a column', token);
  const equals = reader.acceptSymbol('=');
  const value = reader.peek();
  if (value.kind === 'text' || value.kind === 'number' || (equals && reader.seesName())) reader.next();
  else throw new UnreadableDdl('an attribute of a column', token);
}

function readGenerated(reader: TokenReader, column: Draft): void {
  if (reader.accept('GENERATED')) reader.expect('ALWAYS');
  reader.expect('AS');
  if (reader.accept('ROW')) {
    const word = reader.acceptOneOf('START', 'END');
    if (word === undefined) throw new UnreadableDdl('START', reader.peek());
    column.versioning = word === 'START' ? 'start' : 'end';
    column.generated = 'stored';
    column.nullable = false;
    return;
  }
  reader.group();
  column.generated = 'virtual';
  if (reader.acceptOneOf('STORED', 'PERSISTENT') !== undefined) column.generated = 'stored';
  else reader.accept('VIRTUAL');
}

export function readReferences(reader: TokenReader): void {
  reader.expect('REFERENCES');
  reader.tableId();
  reader.acceptGroup();
  if (reader.accept('MATCH')) reader.next();
  while (reader.sees('ON', 'DELETE') || reader.sees('ON', 'UPDATE')) {
    reader.next();
    reader.next();
    if (reader.acceptOneOf('RESTRICT', 'CASCADE') !== undefined) continue;
    if (reader.accept('NO', 'ACTION')) continue;
    reader.expect('SET');
    reader.next();
  }
}

const nowWords = ['CURRENT_TIMESTAMP', 'NOW', 'LOCALTIME', 'LOCALTIMESTAMP'];

function readNow(reader: TokenReader): number {
  if (reader.acceptOneOf(...nowWords) === undefined) throw new UnreadableDdl('CURRENT_TIMESTAMP', reader.peek());
  return readNowDigits(reader);
}

function readNowDigits(reader: TokenReader): number {
  if (!reader.acceptSymbol('(')) return 0;
  const digits = reader.seesSymbol(')') ? 0 : reader.integer();
  reader.expectSymbol(')');
  return digits;
}

/** What follows DEFAULT, in a definition and in ALTER COLUMN … SET DEFAULT. */
export function readDefault(reader: TokenReader): DefaultValue {
  const literal = readLiteral(reader);
  if (literal !== undefined) return literal;
  const { start } = reader.peek();
  if (reader.seesSymbol('(')) return readParenthesised(reader);
  if (reader.seesOneOf(...nowWords)) {
    const { keyword } = reader.peek();
    const fsp = readNow(reader);
    // Another name than MariaDB's parser knows as the clock.
    return { kind: 'now', fsp, ...(keyword === 'LOCALTIMESTAMP' ? { written: `${keyword}${fsp === 0 ? '' : `(${fsp})`}` } : {}) };
  }
  if (reader.acceptOneOf('DATE', 'TIME', 'TIMESTAMP') !== undefined && reader.peek().kind === 'text') {
    return { kind: 'text', value: reader.text() };
  }
  // MariaDB takes functions without parentheses: uuid(), NEXT VALUE FOR s, nextval(s), db.f(1).
  if (reader.accept('NEXT')) {
    reader.expect('VALUE', 'FOR');
    reader.tableId();
  } else {
    if (!reader.seesSymbol('(')) reader.name();
    while (reader.acceptSymbol('.')) reader.name();
    reader.acceptGroup();
  }
  return { kind: 'expression', text: reader.tokens.sql.slice(start, reader.peek().start).trim() };
}

function readLiteral(reader: TokenReader): DefaultValue | undefined {
  const token = reader.peek();
  if (reader.accept('NULL')) return { kind: 'null' };
  if (reader.accept('TRUE')) return { kind: 'number', value: '1', written: 'TRUE' };
  if (reader.accept('FALSE')) return { kind: 'number', value: '0', written: 'FALSE' };
  const sign = token.kind === 'symbol' && (token.value === '-' || token.value === '+') ? token.value : '';
  if (sign !== '' && reader.peek(1).kind === 'number') {
    reader.next();
    return { kind: 'number', value: `${sign === '-' ? '-' : ''}${reader.next().value}` };
  }
  switch (token.kind) {
    case 'number':
      return { kind: 'number', value: reader.next().value };
    case 'text': {
      const { value, introducer } = reader.texts();
      return { kind: 'text', value, ...(introducer === undefined ? {} : { introducer }) };
    }
    case 'hex':
    case 'bit': {
      const { value, introducer } = reader.next();
      return { kind: token.kind, value, ...(introducer === undefined ? {} : { introducer }) };
    }
    default:
      return undefined;
  }
}

/** In MySQL `(5)` is an expression; MariaDB takes a literal or CURRENT_TIMESTAMP out of its parentheses. */
function readParenthesised(reader: TokenReader): DefaultValue {
  const text = reader.group();
  if (reader.mariadb) {
    const { rules } = reader.tokens;
    const inner = new TokenReader(text, { rules, defaultDatabase: reader.defaultDatabase });
    const plain = inner.seesSymbol('(') ? readParenthesised(inner) : (readLiteral(inner) ?? readNowAlone(inner));
    if (plain !== undefined && inner.atEnd()) return plain;
  }
  return { kind: 'expression', text };
}

function readNowAlone(reader: TokenReader): DefaultValue | undefined {
  return reader.seesOneOf(...nowWords) ? { kind: 'now', fsp: readNow(reader) } : undefined;
}
