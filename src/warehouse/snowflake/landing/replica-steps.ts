import type { RedoStep } from '../redo.ts';
import { literal, qualified, qualifiedSchema, quoted, type TablePlace } from '../sql-text.ts';
import {
  columnSql,
  createLandingSql,
  createStreamSql,
  createTablesSql,
  jsonSql,
  createViewSql,
  mergeStatements,
  newestSql,
  ownNames,
  replicaPlace,
} from './merge-landed.ts';
import type { LandedColumn, LandedReplica } from './replica-table.ts';

export interface ChangeSteps {
  readonly steps: readonly RedoStep[];
  /** What the statements cannot know. */
  readonly doubts: readonly string[];
}

/** The statements that bring a replica's definitions from one form to another; each may be repeated after a crash. */
export function changeSteps(before: LandedReplica | undefined, after: LandedReplica): ChangeSteps {
  if (before === undefined) return { steps: createSteps(after), doubts: [] };
  if (after.form.runner === 'dynamic.table' || isOtherKind(before, after)) {
    return { steps: [...dropSteps(before), ...createSteps(after)], doubts: [] };
  }
  const doubts: string[] = [];
  const place = after.form.table ? replicaPlace(after) : ownNames(after).base;
  const old = new Map(before.columns.map((column) => [column.name, column]));
  const kept = new Set(after.columns.map(({ name }) => name));
  const gone = before.columns.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
  const added = after.columns.filter(({ name }) => !old.has(name)).map(({ name }) => name);
  if (gone.length > 0 && added.length > 0) {
    doubts.push(
      `columns went (${gone.join(', ')}) and came (${added.join(', ')}): if one was renamed, rows have no value there until they change`,
    );
  }
  const steps = after.columns.flatMap((column) => {
    const known = old.get(column.name);
    if (known === undefined) return addSteps(place, column);
    if (known.sqlType === column.sqlType) return [];
    const places = after.form.table && after.key.includes(column.name) ? [place, ownNames(after).base] : [place];
    const converted = convertSql(known, column);
    if (converted === undefined) {
      doubts.push(`${column.name} was ${known.sqlType} and is ${column.sqlType}: rows have NULL there until they change`);
    }
    return places.flatMap((each) => retypeSteps(each, column, converted ?? 'NULL'));
  });
  if (after.form.table && before.key.join() !== after.key.join()) steps.push(...rekeySteps(before, after));
  // readers see the new columns once they are filled, and never a column that is gone
  if (!after.form.table) steps.push({ sql: createViewSql(after) });
  for (const name of gone) steps.push({ sql: `ALTER TABLE ${qualified(place)} DROP COLUMN IF EXISTS ${quoted(name)}` });
  return { steps: [...steps, ...taskSteps(after)], doubts };
}

/** Whether what stands for the replica is not altered but made anew. */
function isOtherKind(before: LandedReplica, after: LandedReplica): boolean {
  return (
    before.form.table !== after.form.table ||
    (before.form.runner === 'dynamic.table') !== (after.form.runner === 'dynamic.table') ||
    qualified(replicaPlace(before)) !== qualified(replicaPlace(after))
  );
}

function addSteps(place: TablePlace, column: LandedColumn): RedoStep[] {
  const table = qualified(place);
  const add: RedoStep = {
    sql: `ALTER TABLE ${table} ADD COLUMN ${columnSql(column)}`,
    done: { kind: 'column', place, column: column.name },
  };
  if (column.fallback === undefined) return [add];
  return [add, { sql: `UPDATE ${table} SET ${quoted(column.name)} = ${fallbackSql(column, column.fallback)}` }];
}

function retypeSteps(place: TablePlace, column: LandedColumn, value: string): RedoStep[] {
  const table = qualified(place);
  const aside = `${column.name}__NEW`;
  return [
    { sql: `ALTER TABLE ${table} ADD COLUMN ${quoted(aside)} ${column.sqlType}`, done: { kind: 'column', place, column: aside } },
    { sql: `UPDATE ${table} SET ${quoted(aside)} = ${value}` },
    { sql: `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${quoted(column.name)}` },
    {
      sql: `ALTER TABLE ${table} RENAME COLUMN ${quoted(aside)} TO ${quoted(column.name)}`,
      done: { kind: 'column', place, column: column.name },
    },
  ];
}

/** Positions under another key; marks of rows that are gone go with the old one: what came before has been merged. */
function rekeySteps(before: LandedReplica, after: LandedReplica): readonly RedoStep[] {
  const { base } = ownNames(after);
  const aside: TablePlace = { ...base, table: `${base.table}__NEW` };
  const keys = after.key.map((name) => `t.${quoted(name)}`).join(', ');
  const same = before.key.map((name) => `t.${quoted(name)} = p.${quoted(name)}`).join(' AND ');
  return [
    {
      sql:
        `CREATE OR REPLACE TABLE ${qualified(aside)} AS SELECT ${keys}, p."__DELETED", p."__POS" ` +
        `FROM ${qualified(replicaPlace(after))} t JOIN ${qualified(base)} p ON ${same}`,
    },
    { sql: `DROP TABLE IF EXISTS ${qualified(base)}` },
    { sql: `ALTER TABLE ${qualified(aside)} RENAME TO ${qualified(base)}`, done: { kind: 'table', place: base } },
  ];
}

/** All that a replica needs; what has landed before is merged once, which the stream does not show. */
export function createSteps(replica: LandedReplica): readonly RedoStep[] {
  const { landing, form } = replica;
  const schema = `CREATE SCHEMA IF NOT EXISTS ${qualifiedSchema({ database: landing.database, schema: replica.replica.schema })}`;
  const statements = [createLandingSql(landing, replica.schematized), schema];
  if (form.runner === 'dynamic.table') return [...statements, dynamicTableSql(replica)].map((sql) => ({ sql }));
  statements.push(createStreamSql(replica), ...createTablesSql(replica), ...mergeStatements(replica, landing));
  if (!form.table) statements.push(createViewSql(replica));
  return [...statements.map((sql) => ({ sql })), ...taskSteps(replica)];
}

function dropSteps(before: LandedReplica): readonly RedoStep[] {
  const { base, task } = ownNames(before);
  const { runner, table } = before.form;
  const kind = runner === 'dynamic.table' ? 'DYNAMIC TABLE' : table ? 'TABLE' : 'VIEW';
  const statements = [`DROP ${kind} IF EXISTS ${qualified(replicaPlace(before))}`];
  if (runner !== 'dynamic.table') statements.push(`DROP TABLE IF EXISTS ${qualified(base)}`);
  if (runner === 'task' || runner === 'triggered.task') statements.unshift(`DROP TASK IF EXISTS ${qualified(task)}`);
  return statements.map((sql) => ({ sql }));
}

/** Rows of landing tables must stay for ever then: the replica is made of nothing else. */
function dynamicTableSql(replica: LandedReplica): string {
  const { form, columns, landing } = replica;
  const list = columns.map(({ name }) => quoted(name)).join(', ');
  return (
    `CREATE OR REPLACE DYNAMIC TABLE ${qualified(replicaPlace(replica))} TARGET_LAG = ${literal(form.schedule)} WAREHOUSE = ${quoted(form.warehouse)} ` +
    `AS SELECT ${list} FROM (${newestSql(replica, landing)}) WHERE NOT "__DELETED"`
  );
}

function taskSteps(replica: LandedReplica): readonly RedoStep[] {
  const { runner, warehouse, schedule } = replica.form;
  if (runner === 'millrace' || runner === 'dynamic.table') return [];
  const { task, stream } = ownNames(replica);
  const options = [
    ...(warehouse === '' ? [] : [`WAREHOUSE = ${quoted(warehouse)}`]),
    ...(runner === 'task' ? [`SCHEDULE = ${literal(schedule)}`] : []),
  ];
  const name = qualified(task);
  const [merge = '', ...more] = mergeStatements(replica, stream);
  // several are one transaction: the stream moves on only with all of them
  const body = more.length === 0 ? merge : `BEGIN BEGIN TRANSACTION; ${[merge, ...more].join('; ')}; COMMIT; END`;
  return [
    {
      sql:
        `CREATE OR REPLACE TASK ${name} ${options.map((each) => `${each} `).join('')}` +
        `WHEN SYSTEM$STREAM_HAS_DATA(${literal(qualified(stream))}) AS ${body}`,
    },
    { sql: `ALTER TASK ${name} RESUME` },
  ];
}

/** What rows get in a column that they had not. */
function fallbackSql({ landed, expression }: LandedColumn, json: string): string {
  return expression.replaceAll(landed, jsonSql(json));
}

/** The values that a column has, as its new type's; undefined: they cannot be told. */
function convertSql(from: LandedColumn, to: LandedColumn): string | undefined {
  const value = quoted(from.name);
  const [kind, target] = [kindOf(from.sqlType), kindOf(to.sqlType)];
  const isNumeric = (each: string): boolean => each === 'NUMBER' || each === 'FLOAT';
  if ((kind === target && kind !== 'BINARY') || (isNumeric(kind) && isNumeric(target)) || (kind === 'DATE' && target === 'TIMESTAMP_NTZ')) {
    return `CAST(${value} AS ${to.sqlType})`;
  }
  if (kind === 'VARCHAR' && (isNumeric(target) || ['DATE', 'TIMESTAMP_NTZ', 'BOOLEAN'].includes(target))) {
    return `TRY_CAST(${value} AS ${to.sqlType})`;
  }
  if (target !== 'VARCHAR') return undefined;
  if (kind === 'DATE') return `TO_VARCHAR(${value}, 'YYYY-MM-DD')`;
  return isNumeric(kind) ? `CAST(${value} AS VARCHAR)` : undefined;
}

function kindOf(sqlType: string): string {
  return sqlType.replace(/\(.*$/, '');
}
