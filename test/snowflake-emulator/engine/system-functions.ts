import { unknownForm } from '../snowflake-error.ts';
import { type Typed, quoteText } from '../compile/typed.ts';
import { boolean, text } from '../sql/sf-type.ts';
import type { StreamObject } from './objects.ts';
import type { Session } from './session.ts';
import { hasDataSql } from './streams.ts';

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
      return { sql: `(${hasDataSql(stream, session.catalog.store.version)})`, type: boolean };
    }
    case 'SYSTEM$ABORT_SESSION':
    case 'SYSTEM$ABORT_TRANSACTION':
      return { sql: quoteText(`${name === 'SYSTEM$ABORT_SESSION' ? 'session' : 'transaction'} [${first ?? ''}] terminated.`), type: text };
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
