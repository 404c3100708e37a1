import { Struct, type ConnectValue } from '../../../connect/data.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import { fieldValue } from '../../../connect/schema.ts';

/** A place in a binlog, as numbers that can be compared. */
export interface BinlogPlace {
  readonly file: number;
  readonly pos: number;
}

/** The place that a record of Debezium's names; undefined: it names none. */
export function placeOfRecord({ value }: Pick<ConnectRecord, 'value'>): BinlogPlace | undefined {
  const source = memberOf(value, 'source');
  const file = memberOf(source, 'file');
  const pos = memberOf(source, 'pos');
  if (typeof file !== 'string' || (typeof pos !== 'bigint' && typeof pos !== 'number')) return undefined;
  return { file: fileNumber(file), pos: Number(pos) };
}

/** `binlog.000012` is 12. */
export function fileNumber(file: string): number {
  return Number(/(\d+)$/.exec(file)?.[1] ?? 0);
}

function memberOf(value: ConnectValue, name: string): ConnectValue {
  return value instanceof Struct ? fieldValue(value, name, false) : null;
}

/** Digits of the parts of a position. */
const digits = { epoch: 6, file: 9, pos: 13, row: 8 } as const;

/** A position as the generated statements have it. */
export function packPosition(epoch: number, { file, pos }: BinlogPlace): string {
  const part = (value: number, length: number): string => String(value).padStart(length, '0');
  return `${part(epoch, digits.epoch)}${part(file, digits.file)}${part(pos, digits.pos)}${part(0, digits.row)}`.replace(/^0+(?=\d)/, '');
}

/** The epoch of a packed position. */
export function epochOfPosition(position: string): number {
  return Number(position.padStart(digits.epoch + digits.file + digits.pos + digits.row, '0').slice(0, digits.epoch));
}

/**
 * Epochs of a topic's positions. The log's order is the source's; a position that is lower than the one before it was given by
 * another server, or by one that began to count anew (failover, RESET), and everything from there on is newer than all
 * before: a new epoch.
 */
export class PositionEpochs {
  readonly #topics = new Map<string, { epoch: number; last: BinlogPlace | undefined }>();
  readonly #begin: BinlogPlace | undefined;
  #changed = new Map<string, number>();

  /** `begin`: what all before this life is not after. */
  constructor(stored: ReadonlyMap<string, number>, begin: BinlogPlace | undefined) {
    this.#begin = begin;
    for (const [topic, epoch] of stored) this.#topics.set(topic, { epoch, last: begin });
  }

  /** Positions of a topic begin in this epoch. */
  start(topic: string, epoch: number): void {
    this.#topics.set(topic, { epoch, last: undefined });
    this.#changed.set(topic, epoch);
  }

  of(record: ConnectRecord): number {
    return this.at(record.topic, placeOfRecord(record));
  }

  /** The epoch of a place that comes now; undefined: it has none. */
  at(topic: string, place: BinlogPlace | undefined): number {
    let state = this.#topics.get(topic);
    if (state === undefined) this.#topics.set(topic, (state = { epoch: 0, last: this.#begin }));
    if (place === undefined) return state.epoch;
    const { last } = state;
    if (last !== undefined && (place.file < last.file || (place.file === last.file && place.pos < last.pos))) {
      state.epoch++;
      this.#changed.set(topic, state.epoch);
    }
    state.last = place;
    return state.epoch;
  }

  /** Epochs that are to be stored, once. */
  takeChanges(): ReadonlyMap<string, number> {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }
}
