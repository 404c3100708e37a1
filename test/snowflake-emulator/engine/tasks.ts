import { doesNotExist } from '../snowflake-error.ts';
import { parseStatement, splitStatements } from '../sql/parse-statement.ts';
import type { Name } from '../sql/ast.ts';
import type { TaskObject } from './objects.ts';
import type { Session } from './session.ts';

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
