import { unknownForm } from '../snowflake-error.ts';
import { type Typed, quoteText } from '../compile/typed.ts';
import { boolean, text } from '../sql/sf-type.ts';
import type { StreamObject } from './objects.ts';
import type { Session } from './session.ts';

/** `SYSTEM$…`; what it changes is done by `runSystemAction` before the query runs. */
export function systemCall(session: Session, name: string, args: readonly (string | undefined)[]): Typed | undefined {
  const [first] = args;
  switch (name) {
    case 'LAST_QUERY_ID': {
      const offset = Number(first);
      const id = offset < 0 ? session.lastQueryIds.at(offset) : session.lastQueryIds[offset - 1];
      return { sql: id === undefined ? 'CAST(NULL AS VARCHAR)' : quoteText(id), type: text };
    }
    case 'SYSTEM$STREAM_HAS_DATA': {
      const stream = streamOf(session, first);
      return { sql: `(${hasDataSql(session, stream)})`, type: boolean };
    }
    case 'SYSTEM$ABORT_SESSION':
    case 'SYSTEM$ABORT_TRANSACTION':
      return { sql: quoteText(`${name === 'SYSTEM$ABORT_SESSION' ? 'session' : 'transaction'} [${first ?? ''}] terminated.`), type: text };
    case 'SYSTEM$TYPEOF':
      throw unknownForm('function SYSTEM$TYPEOF');
    default:
      return undefined;
  }
}

/** A stream's name in a text, as `SYSTEM$STREAM_HAS_DATA('DB.S.X')` has it. */
function streamOf(session: Session, name: string | undefined): StreamObject {
  if (name === undefined) throw unknownForm('SYSTEM$STREAM_HAS_DATA of anything but a text');
  const parts = [...name.matchAll(/"((?:[^"]|"")+)"|([^".\s]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? (bare ?? '').toUpperCase(),
  );
  return session.catalog.get('stream', parts, session);
}

function hasDataSql(session: Session, stream: StreamObject): string {
  const version = session.catalog.store.version;
  const { tableId: id, offset } = stream;
  const changed = stream.appendOnly
    ? `_b > ${offset} AND _b <= ${version} AND _o`
    : `(_b > ${offset} AND _b <= ${version}) OR (_e > ${offset} AND _e <= ${version} AND _b <= ${offset})`;
  return `SELECT count(*) > 0 FROM t${id} WHERE ${changed}`;
}
