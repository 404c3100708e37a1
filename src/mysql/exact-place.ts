import { isDeepStrictEqual } from 'node:util';
import type { SourceState, StateRecord } from '../connect/tasks.ts';
import { readOffset, writePlace } from './source-offset.ts';
import type { StreamPosition } from './stream-contract.ts';

/**
 * The compacted topic of where a source goes on, more exactly than its offset in Debezium's form says, which names the last
 * transaction that has a record. Key JSON `[connector]`; value `{offset, place}`: the offset beside which it was stored, and the
 * place, with the members of an offset.
 */
export const placeTopic = 'millrace-place';

export function placeRecord(connector: string, offset: Readonly<Record<string, unknown>>, place: StreamPosition): StateRecord {
  return { topic: placeTopic, key: JSON.stringify([connector]), value: JSON.stringify({ offset, place: writePlace(place) }) };
}

/** Where a source goes on. */
export interface StoredPlace {
  readonly position: StreamPosition;
  /** The offset is not the one that this source stored: someone has set it, or another has gone on meanwhile. */
  readonly isForeign: boolean;
}

/** Undefined: the stored offset names no place, or there is none. Without a record it is one of before there were any. */
export function readStoredPlace(connector: string, state: SourceState): StoredPlace | undefined {
  const text = state.state(placeTopic).get(JSON.stringify([connector]));
  const shown = readOffset(state.offset);
  if (shown === undefined) return undefined;
  if (text === undefined) return { position: shown, isForeign: false };
  const record: unknown = JSON.parse(text);
  const exact = isDeepStrictEqual(memberOf(record, 'offset'), { ...state.offset }) ? readOffset(memberOf(record, 'place')) : undefined;
  return { position: exact ?? shown, isForeign: exact === undefined };
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const member: unknown = Object.entries(value).find(([own]) => own === name)?.[1];
  return typeof member === 'object' && member !== null ? Object.fromEntries(Object.entries(member)) : undefined;
}
