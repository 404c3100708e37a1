import { MillraceError, isMillraceError } from '../base/errors.ts';
import type { ServerConnection, TextRow } from '../binlog/connection.ts';

/**
 * An error that names the prepared XA transactions, undefined if there are none (or if the user may not ask, which
 * on MySQL needs XA_RECOVER_ADMIN). A view does not see their rows, and their rows are in the binlog before the view's
 * position, so that a snapshot would lose them when they commit later.
 */
export async function refusePrepared(connection: ServerConnection, signal: AbortSignal): Promise<MillraceError | undefined> {
  let rows: readonly TextRow[];
  try {
    rows = await connection.query('XA RECOVER', signal);
  } catch (error) {
    // ER_XAER_RMERR is what MySQL says to a user without the privilege.
    if (isMillraceError(error) && (error.code === 'MYSQL_PRIVILEGE_MISSING' || error.context['errno'] === 1401)) return undefined;
    throw error;
  }
  return preparedError(rows);
}

/** The error for the rows of XA RECOVER: format id, length of the global id, length of the branch id, both ids. */
export function preparedError(rows: readonly TextRow[]): MillraceError | undefined {
  if (rows.length === 0) return undefined;
  const names = rows.map(([format, global, branch, data]) => xidText({ format, global, branch, data }));
  return new MillraceError('XA_PREPARED', `${rows.length} prepared XA transactions are open: ${names.slice(0, 20).join(' ')}`, {
    retriable: true,
    nextStep: names
      .slice(0, 20)
      .map((name) => `XA COMMIT ${name}; or XA ROLLBACK ${name};`)
      .join(' '),
    context: { xids: names },
  });
}

interface Xid {
  readonly format: string | null | undefined;
  readonly global: string | null | undefined;
  readonly branch: string | null | undefined;
  readonly data: string | null | undefined;
}

/** As XA COMMIT takes it: `'global','branch',format`. */
function xidText({ format, global, branch, data }: Xid): string {
  const text = data ?? '';
  const at = Number(global);
  const quote = (part: string): string =>
    /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/.test(part) ? `'${part}'` : `x'${Buffer.from(part, 'utf8').toString('hex')}'`;
  return `${quote(text.slice(0, at))},${quote(text.slice(at, at + Number(branch)))},${format}`;
}
