import { GtidSet } from '../binlog/gtid-set.ts';
import { MariadbGtidList } from '../binlog/mariadb-gtid.ts';

/** The GTIDs executed up to where the stream is, of either flavor. */
export interface GtidTracker {
  /** A transaction has ended. `source` is `uuid`, `uuid:tag` or `domain-server`; empty without a GTID. */
  add(source: string, sequence: number): void;
  toString(): string;
}

export function createGtidTracker(flavor: 'mysql' | 'mariadb', executed: string): GtidTracker {
  if (flavor === 'mysql') {
    const set = GtidSet.parse(executed);
    return {
      add(source, sequence) {
        if (source !== '') set.add(source, sequence);
      },
      toString: () => set.toString(),
    };
  }
  const list = MariadbGtidList.parse(executed);
  return {
    add(source, sequence) {
      if (source === '') return;
      const dash = source.indexOf('-');
      list.add({ domain: Number(source.slice(0, dash)), server: Number(source.slice(dash + 1)), sequence });
    },
    toString: () => list.toString(),
  };
}
