import { SnowflakeError } from '../snowflake-error.ts';
import type { Query } from '../sql/ast.ts';
import type { Session } from './session.ts';

/** `SELECT SYSTEM$ABORT_TRANSACTION(id)` and `SYSTEM$ABORT_SESSION(id)`: queries that do something. */
export async function runSystemActions(session: Session, query: Query): Promise<void> {
  if (query.body.is !== 'select') return;
  for (const item of query.body.items) {
    if (item.is !== 'item' || item.expr.is !== 'call') continue;
    const [arg] = item.expr.args;
    const id = arg?.is === 'number' || arg?.is === 'text' ? Number(arg.value) : Number.NaN;
    if (item.expr.name === 'SYSTEM$ABORT_TRANSACTION') await abortTransaction(session, id);
    if (item.expr.name === 'SYSTEM$ABORT_SESSION') await abortSession(session, id);
  }
}

async function abortTransaction(session: Session, id: number): Promise<void> {
  const owner = [...session.account.sessions.values()].find((each) => each.transaction?.transactionId === id);
  if (owner === undefined) throw new SnowflakeError('090026', '22000', `Transaction ${id} does not exist`);
  if (owner.user !== session.user && session.role !== 'ACCOUNTADMIN') {
    throw new SnowflakeError('003001', '42501', 'Insufficient privileges to abort the transaction');
  }
  await owner.rollback();
}

async function abortSession(session: Session, id: number): Promise<void> {
  const other = session.account.sessions.get(id);
  if (other === undefined) throw new SnowflakeError('090027', '22000', `Session ${id} does not exist`);
  if (other !== session) await other.close();
}
