import type { TableId } from '../../event/table-schema.ts';
import { readColumn, readDefault, readDefinition, type ColumnRules } from './read-column.ts';
import { readTableKey } from './read-key.ts';
import { readDefaultCharset, readPeriod, readTableOption, seesPeriod, skipPartitions } from './read-table.ts';
import { charsetName } from './read-type.ts';
import type { AlterAction, CharsetClause, ColumnDefinition, DdlStatement, Position, TableOptions } from './statement.ts';
import { UnreadableDdl, type TokenReader } from './token-reader.ts';

type Alter = Extract<DdlStatement, { kind: 'alterTable' }>;

/** Reads ALTER TABLE from behind the word TABLE. */
export function readAlterTable(reader: TokenReader, { ignore, rules }: { readonly ignore: boolean; readonly rules: ColumnRules }): Alter {
  const ifExists = reader.ifExists();
  const table = reader.tableId();
  if (reader.accept('WAIT')) reader.integer();
  else reader.accept('NOWAIT');
  const actions: AlterAction[] = [];
  while (!reader.atEnd()) {
    readAction(reader, { table, rules, actions });
    // Options and partition clauses may follow each other without a comma.
    reader.acceptSymbol(',');
  }
  return { kind: 'alterTable', table, ifExists, ignore, actions };
}

interface Context {
  readonly table: TableId;
  readonly rules: ColumnRules;
  readonly actions: AlterAction[];
}

function readAction(reader: TokenReader, context: Context): void {
  const { actions } = context;
  switch (reader.peek().keyword) {
    case 'ADD':
      readAdd(reader, context);
      return;
    case 'DROP':
      readDrop(reader, context);
      return;
    case 'MODIFY':
    case 'CHANGE':
      actions.push(readChange(reader, context.rules));
      return;
    case 'ALTER':
      readAlterColumn(reader, context);
      return;
    case 'RENAME':
      readRename(reader, context);
      return;
    case 'CONVERT':
      readConvert(reader, context);
      return;
    case 'ORDER':
      reader.expect('ORDER', 'BY');
      reader.skipAll();
      return;
    case 'ENABLE':
    case 'DISABLE':
      reader.next();
      reader.expect('KEYS');
      return;
    case 'FORCE':
      reader.next();
      return;
    case 'WITH':
    case 'WITHOUT':
      reader.next();
      reader.expect('VALIDATION');
      return;
    case 'PARTITION':
      reader.expect('PARTITION', 'BY');
      skipPartitions(reader);
      return;
    default:
      if (!readPartitionAction(reader, context)) readOptions(reader, context);
  }
}

function readAdd(reader: TokenReader, { rules, actions }: Context): void {
  reader.expect('ADD');
  if (reader.accept('PARTITION')) {
    reader.skipAll();
    return;
  }
  if (reader.accept('SYSTEM', 'VERSIONING')) {
    actions.push({ kind: 'versioning', on: true });
    return;
  }
  if (seesPeriod(reader)) {
    actions.push({ kind: 'addPeriod', period: readPeriod(reader) });
    return;
  }
  if (!reader.sees('COLUMN')) {
    const key = readTableKey(reader);
    if (key === null) return;
    if (key !== undefined) {
      actions.push({ kind: 'addKey', key });
      return;
    }
  }
  reader.accept('COLUMN');
  const ifNotExists = reader.ifNotExists();
  if (!reader.acceptSymbol('(')) {
    const column = readColumn(reader, rules);
    const position = readPosition(reader);
    actions.push({ kind: 'addColumn', column, ifNotExists, ...(position === undefined ? {} : { position }) });
    pushKeys(actions, { column, ifNotExists });
    return;
  }
  do {
    const key = readTableKey(reader);
    if (key === null) continue;
    if (key !== undefined) {
      actions.push({ kind: 'addKey', key });
      continue;
    }
    const column = readColumn(reader, rules);
    actions.push({ kind: 'addColumn', column, ifNotExists });
    pushKeys(actions, { column, ifNotExists });
  } while (reader.acceptSymbol(','));
  reader.expectSymbol(')');
}

/** The keys that attributes of an added column make. */
function pushKeys(
  actions: AlterAction[],
  { column, ifNotExists }: { readonly column: ColumnDefinition; readonly ifNotExists: boolean },
): void {
  const parts = [{ column: column.name }];
  if (column.key !== undefined) actions.push({ kind: 'addKey', key: { kind: column.key, parts, ifNotExists } });
  if (column.references === true) actions.push({ kind: 'addKey', key: { kind: 'foreign', parts } });
}

function readPosition(reader: TokenReader): Position | undefined {
  if (reader.accept('FIRST')) return 'first';
  return reader.accept('AFTER') ? { after: reader.name() } : undefined;
}

function readDrop(reader: TokenReader, { table, actions }: Context): void {
  reader.expect('DROP');
  if (reader.accept('PARTITION')) {
    reader.skipAll();
    actions.push({ kind: 'uncertain', reason: 'partitions are dropped', tables: [table] });
  } else if (reader.accept('SYSTEM', 'VERSIONING')) {
    actions.push({ kind: 'versioning', on: false });
  } else if (reader.mariadb && reader.accept('PERIOD', 'FOR')) {
    reader.ifExists();
    actions.push({ kind: 'dropPeriod', name: reader.name() });
  } else if (reader.accept('PRIMARY', 'KEY')) {
    actions.push({ kind: 'dropPrimaryKey', ifExists: false });
  } else if (reader.accept('FOREIGN', 'KEY') || (reader.sees('CHECK') && reader.seesName(1) && reader.next())) {
    reader.ifExists();
    reader.name();
  } else if (reader.acceptOneOf('INDEX', 'KEY') !== undefined) {
    const ifExists = reader.ifExists();
    actions.push({ kind: 'dropKey', name: reader.name(), ifExists });
  } else if (reader.accept('CONSTRAINT')) {
    reader.ifExists();
    actions.push({ kind: 'dropConstraint', name: reader.name() });
  } else {
    reader.accept('COLUMN');
    const ifExists = reader.ifExists();
    actions.push({ kind: 'dropColumn', column: reader.name(), ifExists });
    reader.acceptOneOf('RESTRICT', 'CASCADE');
  }
}

function readChange(reader: TokenReader, rules: ColumnRules): AlterAction {
  const { keyword } = reader.next();
  reader.accept('COLUMN');
  const ifExists = reader.ifExists();
  const from = reader.name();
  const name = keyword === 'CHANGE' ? reader.name() : from;
  const column = readDefinition(reader, { name, rules });
  const position = readPosition(reader);
  return { kind: 'changeColumn', from, column, ifExists, ...(position === undefined ? {} : { position }) };
}

function readAlterColumn(reader: TokenReader, { actions }: Context): void {
  reader.expect('ALTER');
  if (reader.acceptOneOf('INDEX', 'KEY', 'CHECK', 'CONSTRAINT') !== undefined) {
    reader.skipClause();
    return;
  }
  reader.accept('COLUMN');
  const ifExists = reader.ifExists();
  const column = reader.name();
  if (reader.accept('DROP', 'DEFAULT')) {
    actions.push({ kind: 'alterDefault', column, default: undefined, ifExists });
    return;
  }
  reader.expect('SET');
  const visibility = reader.acceptOneOf('VISIBLE', 'INVISIBLE');
  if (visibility !== undefined) {
    actions.push({ kind: 'alterVisibility', column, invisible: visibility === 'INVISIBLE' });
    return;
  }
  reader.expect('DEFAULT');
  actions.push({ kind: 'alterDefault', column, default: readDefault(reader), ifExists });
}

function readRename(reader: TokenReader, { actions }: Context): void {
  reader.expect('RENAME');
  if (reader.accept('COLUMN')) {
    const ifExists = reader.ifExists();
    const from = reader.name();
    reader.expect('TO');
    actions.push({ kind: 'renameColumn', from, to: reader.name(), ifExists });
  } else if (reader.seesOneOf('INDEX', 'KEY')) {
    reader.next();
    reader.ifExists();
    const from = reader.name();
    reader.expect('TO');
    actions.push({ kind: 'renameKey', from, to: reader.name() });
  } else {
    if (!reader.acceptSymbol('=')) reader.acceptOneOf('TO', 'AS');
    actions.push({ kind: 'rename', to: reader.tableId() });
  }
}

function readConvert(reader: TokenReader, { table, actions }: Context): void {
  reader.expect('CONVERT');
  if (reader.accept('TO')) {
    if (!reader.accept('CHARSET')) reader.expect('CHARACTER', 'SET');
    let charset: CharsetClause = { charset: charsetName(reader) };
    if (reader.accept('COLLATE')) charset = { ...charset, collation: charsetName(reader) };
    actions.push({ kind: 'convertCharset', charset });
  } else if (reader.accept('PARTITION')) {
    reader.name();
    reader.expect('TO', 'TABLE');
    actions.push({ kind: 'uncertain', reason: 'a partition becomes a table', tables: [table, reader.tableId()] });
    reader.skipAll();
  } else {
    reader.expect('TABLE');
    actions.push({ kind: 'uncertain', reason: 'a table becomes a partition', tables: [table, reader.tableId()] });
    reader.skipAll();
  }
}

/** Whether a clause about partitions or tablespaces came next, and was read. */
function readPartitionAction(reader: TokenReader, { table, actions }: Context): boolean {
  if (reader.accept('EXCHANGE', 'PARTITION')) {
    reader.name();
    reader.expect('WITH', 'TABLE');
    actions.push({ kind: 'uncertain', reason: 'a partition is exchanged', tables: [table, reader.tableId()] });
  } else if (reader.accept('TRUNCATE', 'PARTITION')) {
    if (reader.sees('ALL')) actions.push({ kind: 'truncate' });
    else actions.push({ kind: 'uncertain', reason: 'partitions are emptied', tables: [table] });
  } else if (reader.sees('IMPORT') || reader.sees('DISCARD')) {
    if (reader.peek(1).keyword !== 'TABLESPACE' && reader.peek(1).keyword !== 'PARTITION') return false;
    actions.push({ kind: 'uncertain', reason: 'a tablespace is imported or discarded', tables: [table] });
  } else if (reader.accept('REMOVE', 'PARTITIONING') || reader.accept('UPGRADE', 'PARTITIONING')) {
    return true;
  } else if (
    reader.seesOneOf('COALESCE', 'REORGANIZE', 'ANALYZE', 'CHECK', 'OPTIMIZE', 'REBUILD', 'REPAIR') &&
    reader.peek(1).keyword === 'PARTITION'
  ) {
    reader.skipAll();
    return true;
  } else {
    return false;
  }
  reader.skipAll();
  return true;
}

function readOptions(reader: TokenReader, { table, actions }: Context): void {
  const charset = readDefaultCharset(reader);
  if (charset !== undefined) {
    const more = readDefaultCharset(reader);
    actions.push({ kind: 'defaultCharset', charset: { ...charset, ...more } });
    return;
  }
  const options: { -readonly [K in keyof TableOptions]: TableOptions[K] } = {};
  const token = reader.peek();
  if (!readTableOption(reader, options)) throw new UnreadableDdl('a clause of ALTER TABLE', token);
  if (options.comment !== undefined) actions.push({ kind: 'comment', comment: options.comment });
  if (options.engine === 'BLACKHOLE') actions.push({ kind: 'uncertain', reason: 'the storage engine keeps no rows', tables: [table] });
}
