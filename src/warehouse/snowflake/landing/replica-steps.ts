import type { RedoStep } from '../redo.ts';
import { literal, qualified, qualifiedSchema, quoted } from '../sql-text.ts';
import { columnSql, createBaseSql, createLandingSql, createStreamSql, createViewSql, mergeSql, ownNames } from './merge-landed.ts';
import { pathOf, type LandedColumn, type LandedReplica } from './replica-table.ts';

/** Who runs the MERGE: Millrace, or a task of Snowflake's with a schedule or without one. */
export interface ReplicaForm {
  readonly runner: 'millrace' | 'task' | 'triggered.task';
  /** Of tasks; empty: Snowflake's own (serverless). */
  readonly warehouse: string;
  /** Such as `1 MINUTE`. */
  readonly schedule: string;
}

export interface ChangeSteps {
  readonly steps: readonly RedoStep[];
  /** What the statements cannot know. */
  readonly doubts: readonly string[];
}

/** The statements that bring a replica's definitions from one form to another; each may be repeated after a crash. */
export function changeSteps(before: LandedReplica | undefined, after: LandedReplica, form: ReplicaForm): ChangeSteps {
  if (before === undefined) return { steps: createSteps(after, form), doubts: [] };
  if (before.key.join() !== after.key.join()) {
    return {
      steps: rebuildSteps(before, after, form),
      doubts: ['its key is another one: the replica is merged anew from all that has landed'],
    };
  }
  const doubts: string[] = [];
  const { base } = ownNames(after);
  const table = qualified(base);
  const old = new Map(before.columns.map((column) => [column.name, column]));
  const kept = new Set(after.columns.map(({ name }) => name));
  const steps: RedoStep[] = [];
  for (const column of after.columns) {
    const known = old.get(column.name);
    if (known === undefined) {
      steps.push({
        sql: `ALTER TABLE ${table} ADD COLUMN ${columnSql(column)}`,
        done: { kind: 'column', place: base, column: column.name },
      });
      if (column.fallback !== undefined)
        steps.push({ sql: `UPDATE ${table} SET ${quoted(column.name)} = ${fallbackSql(column, column.fallback)}` });
    } else if (known.sqlType !== column.sqlType) {
      const converted = convertSql(known, column);
      if (converted === undefined)
        doubts.push(`${column.name} was ${known.sqlType} and is ${column.sqlType}: rows have NULL there until they change`);
      const aside = `${column.name}__NEW`;
      steps.push(
        { sql: `ALTER TABLE ${table} ADD COLUMN ${quoted(aside)} ${column.sqlType}`, done: { kind: 'column', place: base, column: aside } },
        { sql: `UPDATE ${table} SET ${quoted(aside)} = ${converted ?? 'NULL'}` },
        { sql: `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${quoted(column.name)}` },
        {
          sql: `ALTER TABLE ${table} RENAME COLUMN ${quoted(aside)} TO ${quoted(column.name)}`,
          done: { kind: 'column', place: base, column: column.name },
        },
      );
    }
  }
  const gone = before.columns.filter(({ name }) => !kept.has(name)).map(({ name }) => quoted(name));
  const added = after.columns.filter(({ name }) => !old.has(name));
  if (gone.length > 0 && added.length > 0) {
    doubts.push(
      `columns went (${gone.join(', ')}) and came (${added.map(({ name }) => name).join(', ')}): if one was renamed, rows have no value there until they change`,
    );
  }
  // readers see the new columns once they are filled, and never a column that is gone
  steps.push({ sql: createViewSql(after) });
  for (const name of gone) steps.push({ sql: `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${name}` });
  return { steps: [...steps, ...taskSteps(after, form)], doubts };
}

/** All that a replica needs; what has landed before is merged once, which the stream does not show. */
export function createSteps(replica: LandedReplica, form: ReplicaForm): readonly RedoStep[] {
  const { landing } = replica;
  return [
    { sql: createLandingSql(landing, replica.schematized) },
    { sql: createStreamSql(replica) },
    { sql: createBaseSql(replica) },
    { sql: mergeSql(replica, landing) },
    { sql: `CREATE SCHEMA IF NOT EXISTS ${qualifiedSchema({ database: landing.database, schema: replica.replica.schema })}` },
    { sql: createViewSql(replica) },
    ...taskSteps(replica, form),
  ];
}

function rebuildSteps(before: LandedReplica, after: LandedReplica, form: ReplicaForm): readonly RedoStep[] {
  return [{ sql: `DROP TABLE IF EXISTS ${qualified(ownNames(before).base)}` }, ...createSteps(after, form)];
}

function taskSteps(replica: LandedReplica, form: ReplicaForm): readonly RedoStep[] {
  if (form.runner === 'millrace') return [];
  const { task, stream } = ownNames(replica);
  const options = [
    ...(form.warehouse === '' ? [] : [`WAREHOUSE = ${quoted(form.warehouse)}`]),
    ...(form.runner === 'task' ? [`SCHEDULE = ${literal(form.schedule)}`] : []),
  ];
  const name = qualified(task);
  return [
    {
      sql:
        `CREATE OR REPLACE TASK ${name} ${options.map((each) => `${each} `).join('')}` +
        `WHEN SYSTEM$STREAM_HAS_DATA(${literal(qualified(stream))}) AS ${mergeSql(replica, stream)}`,
    },
    { sql: `ALTER TASK ${name} RESUME` },
  ];
}

/** What rows get in a column that they had not. */
function fallbackSql({ field, expression }: LandedColumn, json: string): string {
  return expression.replaceAll(pathOf('"V"', field), `PARSE_JSON(${literal(json)})`);
}

/** The values that a column has, as its new type's; undefined: they cannot be told. */
function convertSql(from: LandedColumn, to: LandedColumn): string | undefined {
  const [value, target] = [quoted(from.name), kindOf(to.sqlType)];
  const kind = kindOf(from.sqlType);
  if (kind === target && kind !== 'BINARY') return `CAST(${value} AS ${to.sqlType})`;
  if (kind === 'VARCHAR' && ['NUMBER', 'FLOAT', 'DATE', 'TIMESTAMP_NTZ', 'BOOLEAN'].includes(target))
    return `TRY_CAST(${value} AS ${to.sqlType})`;
  if (target === 'VARCHAR' && ['NUMBER', 'FLOAT', 'DATE'].includes(kind)) return `CAST(${value} AS VARCHAR)`;
  if (['NUMBER', 'FLOAT'].includes(kind) && ['NUMBER', 'FLOAT'].includes(target)) return `CAST(${value} AS ${to.sqlType})`;
  return kind === 'DATE' && target === 'TIMESTAMP_NTZ' ? `CAST(${value} AS ${to.sqlType})` : undefined;
}

function kindOf(sqlType: string): string {
  return sqlType.replace(/\(.*$/, '');
}
