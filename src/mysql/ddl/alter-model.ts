import { isDeepStrictEqual } from 'node:util';
import type { ColumnOrigin } from '../../event/schema-change.ts';
import { createTableSchema, type Column } from '../../event/table-schema.ts';
import { resolveCharset, type ResolvedCharset } from '../charset-catalog.ts';
import { hasCharset } from '../column-type.ts';
import {
  charsetOf,
  hashColumns,
  isHashColumn,
  primaryKeyOf,
  versioningColumns,
  type TableDefinition,
  type TableKey,
} from '../read-schema.ts';
import { columnModel, withImplicitTimestamp, withDefault, type ColumnEnvironment } from './column-model.ts';
import { conversionDoubt } from './conversion.ts';
import { implicitDefault } from './default-text.ts';
import { addKeys, rehashed, remapKeys, sameName } from './key-model.ts';
import type { AlterAction, CharsetClause, ColumnDefinition, PeriodDefinition, Position } from './statement.ts';

/** What the statement's words mean in, besides the table itself. */
export interface TableEnvironment extends Omit<ColumnEnvironment, 'collation'> {
  /** The default collation of the table's database. */
  readonly databaseCollation: string;
}

export interface AlteredTable {
  readonly after: TableDefinition;
  /** For each column of `after`, where the values of existing rows come from. */
  readonly origins: readonly ColumnOrigin[];
  /** Why the server's rows or definition may differ from these; empty: they do not. */
  readonly doubts: readonly string[];
}

/** A column on its way: `from` is its position before, undefined of an added one. */
interface Slot {
  column: Column;
  readonly from: number | undefined;
  /** MODIFY or CHANGE gave it a whole definition. */
  readonly redefined?: boolean;
}

type Kind<K extends AlterAction['kind']> = Extract<AlterAction, { kind: K }>;

/**
 * What the actions of one ALTER TABLE make of a table. As on the server (mysql_prepare_alter_table): names of columns to
 * drop, change or rename are those from before; what stays keeps its place; then added columns and those with a position
 * are put in, in the order of the statement, after columns by their new names.
 */
export function alterModel(before: TableDefinition, actions: readonly AlterAction[], environment: TableEnvironment): AlteredTable {
  const doubts: string[] = [];
  const collation = collationAfter(before, { actions, environment, doubts });
  const writtenCollation = writtenCollationAfter(before, actions, collation);
  const written = writtenCollation === undefined ? {} : { writtenCollation };
  const scope: Scope = { before, actions, doubts, environment: { ...environment, collation, ...written } };
  const hidden = hiddenColumns(before);
  const slots = keepColumns(scope, before.schema.columns.length - hidden);
  placeColumns(scope, slots);
  for (const action of actions) if (action.kind === 'addPeriod') requirePeriodColumns(slots, action.period);
  const versioned = actions.findLast((action): action is Kind<'versioning'> => action.kind === 'versioning')?.on;
  const keys = keysAfter(scope, slots);
  requireKeyColumns(slots, keys);
  appendVersioning(scope, { slots, versioned });
  for (const column of hashColumns({ keys })) {
    const from = before.schema.columns.findIndex((each) => each.name === column.name);
    slots.push({ column, from: from < 0 ? undefined : from });
  }

  const columns = slots.map(({ column }) => column);
  const {
    fingerprint: _,
    charset: _charset,
    collation: _collation,
    writtenCollation: _written,
    comment,
    hasCopiedComment,
    ...rest
  } = before.schema;
  const given = actions.findLast((action): action is Kind<'comment'> => action.kind === 'comment')?.comment;
  const newComment = given ?? comment;
  const schema = createTableSchema({
    ...rest,
    columns,
    primaryKey: primaryKeyOf(columns, keys),
    charset: charsetOf(collation),
    collation,
    ...written,
    ...(newComment === undefined || newComment === '' ? {} : { comment: newComment }),
    ...(given === undefined && hasCopiedComment === true ? { hasCopiedComment } : {}),
  });
  return { after: { schema, keys }, origins: slots.map((slot) => originOf(slot, scope)), doubts };
}

interface Scope {
  readonly before: TableDefinition;
  readonly actions: readonly AlterAction[];
  readonly doubts: string[];
  readonly environment: ColumnEnvironment;
}

/** How many columns at the end no statement can name. */
function hiddenColumns({ schema }: TableDefinition): number {
  return schema.columns.filter((column) => isHashColumn(column) || isImplicitVersioning(column)).length;
}

function isImplicitVersioning({ name, versioning, invisible }: Column): boolean {
  return versioning !== undefined && invisible === true && name === `row_${versioning}`;
}

interface Parts {
  readonly actions: readonly AlterAction[];
  readonly environment: TableEnvironment;
  readonly doubts: string[];
}

/** Later columns of the statement already get the default collation that it sets. */
function collationAfter({ schema }: TableDefinition, { actions, environment, doubts }: Parts): string {
  let collation = schema.collation ?? environment.databaseCollation;
  const { flavor } = environment.catalog;
  const named = actions.filter(({ kind }) => kind === 'defaultCharset' || kind === 'convertCharset');
  if (named.length > 1 && named.some(({ kind }) => kind === 'convertCharset')) doubts.push('CONVERT TO beside another character set');
  for (const action of actions) {
    // MySQL takes the default of the session's database, which need not be the table's.
    if (flavor === 'mysql' && action.kind === 'convertCharset' && action.charset.charset === 'default') {
      doubts.push('CONVERT TO CHARACTER SET DEFAULT');
    }
    if (action.kind !== 'defaultCharset' && action.kind !== 'convertCharset') continue;
    const inherited = action.charset.charset === 'default' ? environment.databaseCollation : collation;
    ({ collation } = resolveCharset(action.charset, inherited, environment.catalog));
  }
  return collation;
}

/** Debezium takes the new default of CONVERT TO, but not that of CHARACTER SET alone; undefined: both have the same. */
function writtenCollationAfter({ schema }: TableDefinition, actions: readonly AlterAction[], collation: string): string | undefined {
  const believed = conversionOf(actions) === undefined ? (schema.writtenCollation ?? schema.collation) : undefined;
  return believed === collation ? undefined : believed;
}

/** The columns that stay, in their old order; those with a new position are left for `placeColumns`. */
function keepColumns(scope: Scope, visible: number): Slot[] {
  const { before, actions, environment } = scope;
  const slots: Slot[] = [];
  checkNames(scope, visible);
  const convert = conversionOf(actions);
  before.schema.columns.slice(0, visible).forEach((old, from) => {
    const about = actions.filter((action) => namesColumn(action, old.name));
    if (about.some(({ kind }) => kind === 'dropColumn')) return;
    const change = about.find((action): action is Kind<'changeColumn'> => action.kind === 'changeColumn');
    if (change !== undefined) {
      if (change.position === undefined) slots.push(changed(change, { from, scope }));
      return;
    }
    let column = convert === undefined ? old : converted(old, convert.charset, environment);
    for (const action of about) {
      if (action.kind === 'renameColumn') column = { ...column, name: action.to };
      if (action.kind === 'alterVisibility') column = withVisibility(column, action.invisible);
      if (action.kind === 'alterDefault') column = alteredDefault(column, { action, scope });
    }
    slots.push({ column, from });
  });
  return slots;
}

function namesColumn(action: AlterAction, name: string): boolean {
  switch (action.kind) {
    case 'dropColumn':
    case 'alterDefault':
    case 'alterVisibility':
      return sameName(action.column, name);
    case 'changeColumn':
    case 'renameColumn':
      return sameName(action.from, name);
    default:
      return false;
  }
}

/** A name that the model does not know, without IF EXISTS, shows that the model is not the server's table. */
function checkNames({ before, actions, doubts }: Scope, visible: number): void {
  const columns = before.schema.columns.slice(0, visible);
  for (const action of actions) {
    if (
      action.kind === 'dropColumn' ||
      action.kind === 'alterDefault' ||
      action.kind === 'changeColumn' ||
      action.kind === 'renameColumn'
    ) {
      if (!action.ifExists && !columns.some(({ name }) => namesColumn(action, name))) {
        doubts.push(`${action.kind} of a column that is not known`);
      }
    }
  }
}

function changed({ column }: Kind<'changeColumn'>, { from, scope }: { readonly from: number; readonly scope: Scope }): Slot {
  return { column: defined(column, { scope, from }), from, redefined: true };
}

/** The column that a definition of the statement makes; CONVERT TO beside it overrules its character set. */
function defined(definition: ColumnDefinition, { scope, from }: { readonly scope: Scope; readonly from: number | undefined }): Column {
  const { column, doubt } = columnModel(implied(definition, { scope, from }), scope.environment);
  if (doubt !== undefined) scope.doubts.push(doubt);
  const convert = conversionOf(scope.actions);
  if (convert === undefined || !hasCharset(column.type)) return column;
  return withCharset(column, resolveCharset(convert.charset, scope.environment.collation, scope.environment.catalog));
}

function conversionOf(actions: readonly AlterAction[]): Kind<'convertCharset'> | undefined {
  return actions.findLast((action): action is Kind<'convertCharset'> => action.kind === 'convertCharset');
}

/** The definition with what a TIMESTAMP gets without explicit_defaults_for_timestamp. */
function implied(
  column: ColumnDefinition,
  { scope, from }: { readonly scope: Scope; readonly from: number | undefined },
): ColumnDefinition {
  if (scope.environment.explicitTimestamps || column.type.name !== 'TIMESTAMP' || column.generated !== undefined) return column;
  const others = scope.before.schema.columns.some((each, position) => each.type.kind === 'timestamp' && position !== from);
  return withImplicitTimestamp(column, !others);
}

function withVisibility(column: Column, invisible: boolean): Column {
  const { invisible: _, ...rest } = column;
  return invisible ? { ...rest, invisible } : rest;
}

function alteredDefault(column: Column, { action, scope }: { readonly action: Kind<'alterDefault'>; readonly scope: Scope }): Column {
  const made = withDefault(column, action.default, scope.environment);
  if (made.doubt !== undefined) scope.doubts.push(made.doubt);
  return made.column;
}

/** CONVERT TO: a TEXT grows where the characters of the new set need more bytes. */
function converted(column: Column, clause: CharsetClause, environment: ColumnEnvironment): Column {
  if (!hasCharset(column.type)) return column;
  const { charset, collation } = resolveCharset(clause, environment.collation, environment.catalog);
  const lengthOf = (name: string | undefined): number => environment.catalog.maxLengths.get(name ?? '') ?? 1;
  const grows = lengthOf(charset) > lengthOf(column.charset);
  const larger: Readonly<Record<string, string>> = { TINYTEXT: 'TEXT', TEXT: 'MEDIUMTEXT', MEDIUMTEXT: 'LONGTEXT' };
  const nativeType = grows ? (larger[column.nativeType] ?? column.nativeType) : column.nativeType;
  return withCharset({ ...column, nativeType }, { charset, collation });
}

function withCharset({ written, ...column }: Column, { charset, collation }: ResolvedCharset): Column {
  if (written === undefined) return { ...column, charset, collation };
  const { charset: _missed, ...words } = written;
  return { ...column, charset, collation, written: words };
}

function placeColumns(scope: Scope, slots: Slot[]): void {
  const { before, actions, doubts } = scope;
  for (const action of actions) {
    if (action.kind === 'addColumn') {
      const present = before.schema.columns.some(({ name }) => sameName(name, action.column.name));
      const again = slots.some(({ column }) => sameName(column.name, action.column.name));
      if (action.ifNotExists && (present || again)) {
        keepAsWritten(slots, action.column, scope);
        continue;
      }
      if (again) doubts.push(`${action.column.name} is added, but is already there`);
      const column = defined(action.column, { scope, from: undefined });
      place(scope, { slots, slot: { column, from: undefined }, position: action.position });
    } else if (action.kind === 'changeColumn' && action.position !== undefined) {
      const from = before.schema.columns.findIndex(({ name }) => sameName(name, action.from));
      if (from >= 0) place(scope, { slots, slot: changed(action, { from, scope }), position: action.position });
    }
  }
}

/** Debezium takes the words of a definition that ADD COLUMN IF NOT EXISTS passes over; of the same type they do no harm. */
function keepAsWritten(slots: readonly Slot[], definition: ColumnDefinition, scope: Scope): void {
  const slot = slots.find(({ column }) => sameName(column.name, definition.name));
  const { column } = columnModel(definition, scope.environment);
  if (slot === undefined || column.written === undefined || !isDeepStrictEqual(slot.column.type, column.type)) return;
  slot.column = { ...slot.column, written: column.written };
}

interface Placement {
  readonly slots: Slot[];
  readonly slot: Slot;
  readonly position: Position | undefined;
}

function place({ doubts }: Scope, { slots, slot, position }: Placement): void {
  if (position === undefined) {
    slots.push(slot);
  } else if (position === 'first') {
    slots.unshift(slot);
  } else {
    const at = slots.findIndex(({ column }) => sameName(column.name, position.after));
    if (at < 0) doubts.push(`AFTER ${position.after}, which is not known`);
    slots.splice(at < 0 ? slots.length : at + 1, 0, slot);
  }
}

function keysAfter({ before, actions, doubts, environment }: Scope, slots: readonly Slot[]): TableKey[] {
  const { catalog } = environment;
  // As on the server, a key keeps its place on a column that is dropped and added anew under the same name.
  let keys = remapKeys(before.keys, (name) => {
    const isIt = ({ from, column }: Slot): boolean =>
      sameName(from === undefined ? column.name : (before.schema.columns[from]?.name ?? ''), name);
    const slot = slots.find(isIt);
    if (slot !== undefined && slot.from === undefined) doubts.push(`the key on ${name}, which is dropped and added anew`);
    return slot?.column.name;
  });
  const remove = (name: string, known: boolean): void => {
    const left = keys.filter((key) => !sameName(key.name, name));
    if (left.length === keys.length && !known) doubts.push(`a key ${name} is not known`);
    keys = left;
  };
  for (const action of actions) {
    if (action.kind === 'dropPrimaryKey') remove('PRIMARY', action.ifExists || before.keys.some(({ name }) => name === 'PRIMARY'));
    if (action.kind === 'dropKey') remove(action.name, action.ifExists || before.keys.some(({ name }) => sameName(name, action.name)));
    // A foreign key or a check, where it is no key.
    if (action.kind === 'dropConstraint') remove(action.name, true);
    if (action.kind === 'renameKey') keys = keys.map((key) => (sameName(key.name, action.from) ? { ...key, name: action.to } : key));
  }
  const added = actions.flatMap((action) => (action.kind === 'addKey' ? [action.key] : []));
  const periods = actions.flatMap((action) => (action.kind === 'addPeriod' ? [action.period] : []));
  const columns = slots.map(({ column }) => column);
  if (added.some(({ withoutOverlaps }) => withoutOverlaps !== undefined) && periods.length === 0) doubts.push('a key over a period');
  const scope = { columns, periods, flavor: catalog.flavor, maxLengths: catalog.maxLengths };
  return addKeys(rehashed(keys, scope), added, scope);
}

/** The columns of the primary key are NOT NULL, whatever was written. */
export function requireKeyColumns(slots: readonly { column: Column }[], keys: readonly TableKey[]): void {
  const primary = keys.find(({ name }) => name === 'PRIMARY');
  for (const slot of slots) {
    if (!slot.column.nullable || primary?.columns.includes(slot.column.name) !== true) continue;
    const { defaultText, ...rest } = slot.column;
    slot.column = { ...rest, nullable: false, ...(typeof defaultText === 'string' ? { defaultText } : {}) };
  }
}

/** The columns of an application period are NOT NULL. */
export function requirePeriodColumns(slots: readonly { column: Column }[], { start, end }: PeriodDefinition): void {
  for (const slot of slots) {
    if (!slot.column.nullable || !(sameName(slot.column.name, start) || sameName(slot.column.name, end))) continue;
    const { defaultText, written, ...rest } = slot.column;
    slot.column = {
      ...rest,
      nullable: false,
      ...(typeof defaultText === 'string' ? { defaultText } : {}),
      ...(written === undefined ? {} : { written: { ...written, optional: true } }),
    };
  }
}

function appendVersioning(
  { before, actions, doubts }: Scope,
  { slots, versioned }: { readonly slots: Slot[]; readonly versioned: boolean | undefined },
): void {
  const implicit = before.schema.columns.flatMap((column, from) => (isImplicitVersioning(column) ? [{ column, from }] : []));
  if (versioned === false) {
    doubts.push('history rows go');
    for (const slot of slots) {
      const { versioning, generated: _, ...rest } = slot.column;
      if (versioning !== undefined) slot.column = rest;
    }
    return;
  }
  slots.push(...implicit);
  if (versioned !== true) return;
  doubts.push('history columns come');
  const named = actions.some(({ kind }) => kind === 'addPeriod');
  if (!named) slots.push(...versioningColumns.map((column) => ({ column, from: undefined })));
}

function originOf({ column, from, redefined }: Slot, { before, doubts, environment }: Scope): ColumnOrigin {
  const old = from === undefined ? undefined : before.schema.columns[from];
  if (from !== undefined && old !== undefined) {
    const rewritten =
      redefined === true ? !sameDefinition(old, column) : old.charset !== column.charset || old.nullable !== column.nullable;
    const doubt = rewritten ? conversionDoubt(old, column, environment.sqlMode) : undefined;
    if (doubt !== undefined) doubts.push(doubt);
    return { from };
  }
  if (isHashColumn(column)) return { fill: null };
  if (column.generated !== undefined || column.autoIncrement === true || column.defaultExpression === true) {
    doubts.push(`${column.name} is computed for rows that are there`);
    return { fill: null };
  }
  if (typeof column.defaultText === 'string') return { fill: column.defaultText };
  if (column.nullable) return { fill: null };
  const fill = implicitDefault(column);
  if (fill === undefined) doubts.push(`${column.name} has no implicit default that is known`);
  return { fill: fill ?? null };
}

/** Whether nothing changed but name, default, comment and visibility. */
function sameDefinition(a: Column, b: Column): boolean {
  const essence = ({ type, nullable, nativeType, length, scale, charset, generated, autoIncrement, versioning }: Column): string =>
    JSON.stringify([type, nullable, nativeType, length, scale, charset, generated, autoIncrement, versioning]);
  return essence(a) === essence(b) && a.generated === undefined;
}
