import { MillraceError } from '../../base/errors.ts';
import { columnOf, type SnowflakeSession } from './session.ts';
import { likePattern, qualified, qualifiedSchema, quoted, type TablePlace } from './sql-text.ts';
import { isMissing } from './driver-errors.ts';

/**
 * DDL commits by itself in Snowflake, so that it cannot share a transaction with rows and offset. What a unit changes of
 * definitions is therefore written down in the transaction that moves the offset (recorded), is then carried out, one
 * statement after the other (applied), and is crossed out at the end (done). Whoever opens the state goes on where a crash
 * has left it. A statement that cannot be repeated says how the catalogue looks once it was carried out.
 */
export interface RedoStep {
  readonly sql: string;
  /** Absent: it can be repeated. */
  readonly done?: DoneSign;
}

/** What there is once a statement was carried out, and was not before. */
export type DoneSign =
  | { readonly kind: 'table'; readonly place: TablePlace }
  | { readonly kind: 'column'; readonly place: TablePlace; readonly column: string }
  /** The schema of this name is gone: it has another. */
  | { readonly kind: 'noSchema'; readonly place: Pick<TablePlace, 'database' | 'schema'> };

/** The DDL that a unit owes. */
export interface Redo {
  readonly source: string;
  readonly unit: string;
  readonly text: string;
  readonly steps: readonly RedoStep[];
  /** So many of them are done for certain. */
  readonly done: number;
}

export function createRedo(source: string, unit: string, steps: readonly RedoStep[]): Redo {
  return { source, unit, steps, text: JSON.stringify(steps), done: 0 };
}

/** @throws DATA_VERSION */
export function parseRedo({ source, unit, text, done }: Omit<Redo, 'steps'>): Redo {
  const steps: unknown = JSON.parse(text);
  if (!isSteps(steps)) throw new MillraceError('DATA_VERSION', `The unfinished change of definitions of ${source} cannot be read`);
  return { source, unit, text, steps, done };
}

/** We wrote it ourselves: the outline is enough. */
function isSteps(value: unknown): value is readonly RedoStep[] {
  return Array.isArray(value) && value.every((step: unknown) => typeof step === 'object' && step !== null && 'sql' in step);
}

/** Whether a statement was carried out already. */
export async function isDone(session: SnowflakeSession, { done }: RedoStep): Promise<boolean> {
  if (done === undefined) return false;
  switch (done.kind) {
    case 'table':
      return objectExists(session, done.place);
    case 'noSchema':
      return !(await schemaExists(session, done.place));
    case 'column':
      return columnOf(await session.run(`DESCRIBE TABLE ${qualified(done.place)}`), 'name').includes(done.column);
  }
}

/** Whether there is a table or view of this name. */
export async function objectExists(session: SnowflakeSession, place: TablePlace): Promise<boolean> {
  try {
    const answer = await session.run(`SHOW OBJECTS LIKE ${likePattern(place.table)} IN SCHEMA ${qualifiedSchema(place)}`);
    return columnOf(answer, 'name').includes(place.table);
  } catch (error) {
    // the schema is not there either
    if (isMissing(error)) return false;
    throw error;
  }
}

export async function schemaExists(
  session: SnowflakeSession,
  { database, schema }: Pick<TablePlace, 'database' | 'schema'>,
): Promise<boolean> {
  const answer = await session.run(`SHOW SCHEMAS LIKE ${likePattern(schema)} IN DATABASE ${quoted(database)}`);
  return columnOf(answer, 'name').includes(schema);
}
