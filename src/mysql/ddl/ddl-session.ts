import type { QueryStatus } from '../../binlog/query-event.ts';
import type { CharsetCatalog } from '../charset-catalog.ts';
import { charsetOf } from '../read-schema.ts';

/** The settings of the session that ran a statement, as far as they change what it means. */
export interface DdlSession {
  readonly sqlMode: bigint;
  readonly explicitTimestamps: boolean;
  readonly timeZone: string;
  readonly catalog: CharsetCatalog;
}

/** What holds where a statement's event does not say. */
export interface SessionDefaults {
  readonly catalog: CharsetCatalog;
  /** The server's explicit_defaults_for_timestamp. */
  readonly explicitTimestamps: boolean;
}

/** Of FLAGS2: OPTION_EXPLICIT_DEF_TIMESTAMP, in MariaDB 10.8 and newer (sql/sql_priv.h); MySQL has a status variable for it. */
const mariadbExplicitTimestamps = 1 << 24;

/** The session of a statement, from the status variables of its event. */
export function ddlSession(status: QueryStatus, { catalog, explicitTimestamps }: SessionDefaults): DdlSession {
  const flags = catalog.flavor === 'mariadb' ? status.flags2 : undefined;
  return {
    sqlMode: status.sqlMode ?? 0n,
    explicitTimestamps:
      flags === undefined ? (status.explicitDefaultsForTimestamp ?? explicitTimestamps) : (flags & mariadbExplicitTimestamps) !== 0,
    timeZone: status.timeZone ?? '+00:00',
    catalog: sessionCatalog(status, catalog),
  };
}

/** The catalog with the collations that the session has set for itself. */
function sessionCatalog(status: QueryStatus, catalog: CharsetCatalog): CharsetCatalog {
  const { collationsById, defaultCollations, primaryCollations } = catalog;
  const server = status.serverCollation === undefined ? undefined : collationsById.get(status.serverCollation);
  const serverCollation = server ?? catalog.serverCollation;
  // MySQL's default_collation_for_utf8mb4, MariaDB's character_set_collations: what it does not name is as it always was.
  const utf8mb4 = status.utf8mb4Collation === undefined ? undefined : collationsById.get(status.utf8mb4Collation);
  const pairs = (status.charsetCollations ?? []).map((ids) => ids.map((id) => collationsById.get(id) ?? ''));
  const own = pairs.map(([from = '', to = '']) => [charsetOf(from), to] as const);
  const base = status.charsetCollations === undefined ? defaultCollations : primaryCollations;
  const merged = new Map([...base, ...own, ...(utf8mb4 === undefined ? [] : [['utf8mb4', utf8mb4] as const])]);
  const same = [...merged].every(([charset, collation]) => defaultCollations.get(charset) === collation);
  return same && serverCollation === catalog.serverCollation ? catalog : { ...catalog, serverCollation, defaultCollations: merged };
}
