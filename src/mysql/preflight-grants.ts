import type { TableId } from '../event/table-schema.ts';

/** What SHOW GRANTS says, as far as it is about tables and the server. */
export interface Grants {
  /** Privileges on `*.*`, upper case. */
  readonly global: ReadonlySet<string>;
  /** Whether the user may read all columns of the table. */
  selects(table: TableId): boolean;
  /** Roles that were granted: their privileges count only while they are active. */
  readonly roles: readonly string[];
}

interface Scope {
  readonly database: string;
  /** `*` is every table. */
  readonly table: string;
  readonly select: boolean;
}

const grantPattern =
  /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`|"(?:[^"]|"")*"|[\w$%]+)\.(\*|`(?:[^`]|``)*`|"(?:[^"]|"")*"|[\w$]+) TO /s;
const revokePattern = /^REVOKE (.+?) ON (`(?:[^`]|``)*`|[\w$]+)\.\* FROM /s;

/** Reads the rows of SHOW GRANTS, of MySQL and MariaDB. What is of no table (routines, PROXY) is left out. */
export function parseGrants(lines: readonly string[]): Grants {
  const global = new Set<string>();
  const scopes: Scope[] = [];
  const revoked = new Set<string>();
  const roles: string[] = [];
  for (const line of lines) {
    const revoke = revokePattern.exec(line);
    if (revoke !== null) {
      if (privilegesOf(revoke[1] ?? '').has('SELECT')) revoked.add(unquoteName(revoke[2] ?? ''));
      continue;
    }
    const grant = grantPattern.exec(line);
    if (grant === null) {
      const role = /^GRANT (.+) TO /s.exec(line)?.[1];
      if (role !== undefined && !line.includes(' ON ')) roles.push(...role.split(/,\s*/));
      continue;
    }
    const privileges = privilegesOf(grant[1] ?? '');
    const all = privileges.has('ALL PRIVILEGES') || privileges.has('ALL');
    if (grant[2] === '*') {
      for (const privilege of privileges) global.add(privilege);
      if (all) {
        for (const privilege of ['SELECT', 'RELOAD', 'REPLICATION SLAVE', 'REPLICATION CLIENT', 'XA_RECOVER_ADMIN']) global.add(privilege);
      }
      continue;
    }
    const table = grant[3] === '*' ? '*' : unquoteName(grant[3] ?? '');
    scopes.push({ database: unquoteName(grant[2] ?? ''), table, select: all || privileges.has('SELECT') });
  }
  return {
    global,
    roles,
    selects({ database, table }) {
      if (global.has('SELECT') && !revoked.has(database)) return true;
      return scopes.some(
        (scope) => scope.select && matchesPattern(database, scope.database) && (scope.table === '*' || scope.table === table),
      );
    },
  };
}

/** `SELECT (a, b), INSERT` is INSERT: some columns only are not enough. */
function privilegesOf(text: string): Set<string> {
  const whole = text.replaceAll(/[A-Z_ ]+\([^)]*\)/g, '');
  const names = whole.split(',').map((name) => name.trim().toUpperCase());
  return new Set(names.filter((name) => name !== ''));
}

function unquoteName(name: string): string {
  const quote = name[0];
  if (quote !== '`' && quote !== '"') return name;
  return name.slice(1, -1).replaceAll(quote + quote, quote);
}

/** A database in a grant is a pattern: `%` any text, `_` any character, unless a backslash is before it. */
function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\[%_]|[%_]|[.*+?^${}()|[\]\\]/g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return part.length === 2 ? part.slice(1) : `\\${part}`;
  });
  return new RegExp(`^${source}$`, 's').test(name);
}
