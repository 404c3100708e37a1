/** MySQL and everything that is built from it, or MariaDB. */
export type Flavor = 'mysql' | 'mariadb';

export interface ServerVersion {
  readonly flavor: Flavor;
  /** As the server gives it: `8.4.3`, `11.8.2-MariaDB-log`. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** From `SELECT VERSION()`; `comment` is `@@version_comment`, which names MariaDB where a vendor changed the version. */
export function parseServerVersion(text: string, comment = ''): ServerVersion {
  const flavor = /mariadb/i.test(text) || /mariadb/i.test(comment) ? 'mariadb' : 'mysql';
  // MariaDB before 11 puts "5.5.5-" before its version where clients look for it in the handshake.
  const match = /^(?:5\.5\.5-)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return {
    flavor,
    text,
    major: Number(match?.[1] ?? 0),
    minor: Number(match?.[2] ?? 0),
    patch: Number(match?.[3] ?? 0),
  };
}

/** Whether the server is `major.minor.patch` or newer. */
export function isAtLeast(version: ServerVersion, major: number, minor: number, patch = 0): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}
