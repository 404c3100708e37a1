import { MillraceError } from '../base/errors.ts';

/** A MariaDB global transaction id: `domain-server-sequence`. */
export interface MariadbGtid {
  readonly domain: number;
  readonly server: number;
  readonly sequence: number;
}

const gtidPattern = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

export function formatMariadbGtid({ domain, server, sequence }: MariadbGtid): string {
  return `${domain}-${server}-${sequence}`;
}

export function parseMariadbGtid(text: string): MariadbGtid {
  const match = gtidPattern.exec(text.trim());
  const domain = Number(match?.[1]);
  const server = Number(match?.[2]);
  const sequence = Number(match?.[3]);
  if (match === null || domain > 0xffff_ffff || server > 0xffff_ffff || !Number.isSafeInteger(sequence)) {
    throw new MillraceError('CONFIG_INVALID', `not a MariaDB GTID: "${text}"`);
  }
  return { domain, server, sequence };
}

/**
 * A MariaDB replication position, mutable: the last transaction seen of each domain, as in `@@gtid_current_pos` and
 * `@slave_connect_state`. Within a domain the sequence numbers grow, whatever server wrote them, so that a position
 * stands for all transactions before it.
 *
 * Source: MariaDB knowledge base, "Global Transaction ID".
 */
export class MariadbGtidList {
  readonly #domains = new Map<number, MariadbGtid>();

  /** Reads `0-1-100,1-2-3`; of several ids of a domain the greatest counts (as in `@@gtid_binlog_state`). */
  static parse(text: string): MariadbGtidList {
    const list = new MariadbGtidList();
    for (const part of text.split(',')) {
      if (part.trim() === '') continue;
      const gtid = parseMariadbGtid(part);
      const known = list.#domains.get(gtid.domain);
      if (known === undefined || known.sequence < gtid.sequence) list.add(gtid);
    }
    return list;
  }

  /** The transaction is now the last one of its domain. */
  add(gtid: MariadbGtid): void {
    this.#domains.set(gtid.domain, gtid);
  }

  get(domain: number): MariadbGtid | undefined {
    return this.#domains.get(domain);
  }

  /** Whether the transaction is at or before this position. */
  has({ domain, sequence }: MariadbGtid): boolean {
    const known = this.#domains.get(domain);
    return known !== undefined && sequence <= known.sequence;
  }

  /** Whether this position is at or after `other` in every domain. */
  contains(other: MariadbGtidList): boolean {
    for (const gtid of other.#domains.values()) if (!this.has(gtid)) return false;
    return true;
  }

  equals(other: MariadbGtidList): boolean {
    return this.toString() === other.toString();
  }

  /** A new position: in each domain the later of the two. */
  union(other: MariadbGtidList): MariadbGtidList {
    const result = this.clone();
    for (const gtid of other.#domains.values()) if (!result.has(gtid)) result.add(gtid);
    return result;
  }

  /** A new position with the domains in which this one is after `other`. */
  subtract(other: MariadbGtidList): MariadbGtidList {
    const result = new MariadbGtidList();
    for (const gtid of this.#domains.values()) if (!other.has(gtid)) result.add(gtid);
    return result;
  }

  clone(): MariadbGtidList {
    const result = new MariadbGtidList();
    for (const [domain, gtid] of this.#domains) result.#domains.set(domain, gtid);
    return result;
  }

  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  /** By domain, ascending. */
  get gtids(): readonly MariadbGtid[] {
    return [...this.#domains.values()].sort((a, b) => a.domain - b.domain);
  }

  /** `0-1-100,1-2-3`, by domain. */
  toString(): string {
    return this.gtids.map(formatMariadbGtid).join(',');
  }

  toJSON(): string {
    return this.toString();
  }
}
