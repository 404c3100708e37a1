import { doesNotExist } from '../snowflake-error.ts';
import { parseStatement, splitStatements } from '../sql/parse-statement.ts';
import type { Name } from '../sql/ast.ts';
import type { StreamObject, TaskObject } from './objects.ts';
import type { Session } from './session.ts';

export async function hasData(session: Session, stream: StreamObject): Promise<boolean> {
  const version = session.catalog.store.version;
  const { tableId: id, offset } = stream;
  const changed = stream.appendOnly
    ? `_o AND _b > ${offset} AND _b <= ${version}`
    : `(_b > ${offset} AND _b <= ${version}) OR (_e > ${offset} AND _e <= ${version} AND _b <= ${offset})`;
  return (await session.connection.number(`SELECT count(*) FROM t${id} WHERE ${changed}`)) > 0;
}

export function taskOf(session: Session, name: Name): TaskObject {
  const task = session.catalog.find('task', name, session);
  if (task?.kind !== 'task') throw doesNotExist('Task', session.catalog.fullName(name, session));
  return task;
}

/** The statements of a task's body: one, or those of a block `BEGIN …; END`. */
export function taskStatements(body: string): readonly string[] {
  const block = /^\s*BEGIN\s+(?!TRANSACTION\b|WORK\b)([\s\S]*?)\bEND\s*;?\s*$/i.exec(body);
  return splitStatements(block?.[1] ?? body);
}

/** A body that cannot be parsed is refused when the task is made, not when it runs. */
export function assertTaskBody(body: string): void {
  for (const statement of taskStatements(body)) parseStatement(statement, { quotedIgnoreCase: false });
}
