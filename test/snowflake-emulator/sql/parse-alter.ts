import { unknownForm } from '../snowflake-error.ts';
import { parseType } from './parse-expression.ts';
import { parseTrailingOptions } from './parse-options.ts';
import { parseColumn } from './parse-create.ts';
import type { AlterAction, Statement } from './statement.ts';
import type { TokenReader } from './token-reader.ts';

export function parseAlter(reader: TokenReader): Statement {
  reader.expectWords('ALTER');
  if (reader.acceptWords('SESSION', 'SET')) return { is: 'setParameters', parameters: parseTrailingOptions(reader) };
  if (reader.acceptWords('SESSION', 'UNSET')) return { is: 'unsetParameters', names: reader.list(() => reader.identifier()) };
  if (reader.acceptWords('WAREHOUSE')) return parseAlterWarehouse(reader);
  if (reader.acceptWords('TASK')) {
    const ifExists = reader.acceptWords('IF', 'EXISTS');
    const name = reader.name();
    const action = reader.acceptOne('RESUME', 'SUSPEND');
    if (action === undefined) throw unknownForm(`ALTER TASK … ${reader.peek().text.toUpperCase()}`);
    return { is: 'alterTask', name, ifExists, action };
  }
  if (reader.acceptWords('SCHEMA')) {
    const name = reader.name();
    if (reader.acceptWords('RENAME', 'TO')) return { is: 'alterSchema', name, rename: reader.name(), swap: undefined };
    if (reader.acceptWords('SWAP', 'WITH')) return { is: 'alterSchema', name, rename: undefined, swap: reader.name() };
    throw unknownForm(`ALTER SCHEMA … ${reader.peek().text.toUpperCase()}`);
  }
  if (reader.acceptWords('DYNAMIC', 'TABLE')) {
    const name = reader.name();
    const action = reader.acceptOne('REFRESH', 'RESUME', 'SUSPEND');
    if (action === undefined) throw unknownForm(`ALTER DYNAMIC TABLE … ${reader.peek().text.toUpperCase()}`);
    return { is: 'alterDynamicTable', name, action };
  }
  if (!reader.acceptWords('TABLE')) throw unknownForm(`ALTER ${reader.peek().text.toUpperCase()}`);
  const ifExists = reader.acceptWords('IF', 'EXISTS');
  const table = reader.name();
  return { is: 'alterTable', table, ifExists, actions: parseActions(reader) };
}

function parseAlterWarehouse(reader: TokenReader): Statement {
  if (reader.isIdentifier() && !reader.isWord('SUSPEND') && !reader.isWord('RESUME') && !reader.isWord('IF')) reader.name();
  if (reader.acceptWords('IF', 'EXISTS')) reader.name();
  const action = reader.acceptOne('SUSPEND', 'RESUME');
  if (action === undefined) throw unknownForm(`ALTER WAREHOUSE … ${reader.peek().text.toUpperCase()}`);
  if (action === 'RESUME') reader.acceptWords('IF', 'SUSPENDED');
  return { is: 'warehouse', action };
}

function parseActions(reader: TokenReader): readonly AlterAction[] {
  if (reader.acceptWords('RENAME', 'TO')) return [{ is: 'renameTo', name: reader.name() }];
  if (reader.acceptWords('SWAP', 'WITH')) return [{ is: 'swapWith', name: reader.name() }];
  if (reader.acceptWords('RENAME', 'COLUMN')) {
    const column = reader.identifier();
    reader.expectWords('TO');
    return [{ is: 'renameColumn', column, to: reader.identifier() }];
  }
  if (reader.acceptWords('ADD')) return parseAdd(reader);
  if (reader.acceptWords('DROP')) return parseDrop(reader);
  if (reader.acceptWords('SET')) return [{ is: 'set', options: parseTrailingOptions(reader) }];
  if (reader.acceptOne('ALTER', 'MODIFY') !== undefined) {
    const bracketed = reader.acceptSymbol('(');
    const actions = reader.list(() => parseAlterColumn(reader));
    if (bracketed) reader.expectSymbol(')');
    return actions;
  }
  throw unknownForm(`ALTER TABLE … ${reader.peek().text.toUpperCase()}`);
}

function parseAdd(reader: TokenReader): readonly AlterAction[] {
  if (reader.acceptWords('CONSTRAINT')) reader.identifier();
  if (reader.acceptWords('PRIMARY', 'KEY')) return [{ is: 'addPrimaryKey', columns: reader.nameList() }];
  if (['UNIQUE', 'FOREIGN', 'ROW', 'SEARCH'].some((word) => reader.isWord(word))) {
    throw unknownForm(`ALTER TABLE … ADD ${reader.peek().text.toUpperCase()}`);
  }
  reader.acceptWords('COLUMN');
  return reader.list(() => {
    const ifNotExists = reader.acceptWords('IF', 'NOT', 'EXISTS');
    return { is: 'addColumn', column: parseColumn(reader), ifNotExists };
  });
}

function parseDrop(reader: TokenReader): readonly AlterAction[] {
  if (reader.acceptWords('PRIMARY', 'KEY')) return [{ is: 'dropPrimaryKey' }];
  reader.acceptWords('COLUMN');
  const ifExists = reader.acceptWords('IF', 'EXISTS');
  return reader.list(() => ({ is: 'dropColumn', column: reader.identifier(), ifExists }));
}

function parseAlterColumn(reader: TokenReader): AlterAction {
  reader.acceptWords('COLUMN');
  const column = reader.identifier();
  if (reader.acceptWords('SET', 'NOT', 'NULL')) return { is: 'setNotNull', column };
  if (reader.acceptWords('DROP', 'NOT', 'NULL')) return { is: 'dropNotNull', column };
  if (reader.acceptWords('DROP', 'DEFAULT')) return { is: 'dropDefault', column };
  if (reader.acceptWords('COMMENT')) return { is: 'comment', column, text: reader.string() };
  if (reader.acceptWords('SET', 'DATA', 'TYPE') || reader.acceptWords('TYPE')) return { is: 'setType', column, type: parseType(reader) };
  throw unknownForm(`ALTER COLUMN … ${reader.peek().text.toUpperCase()}`);
}
