import type { StateRecord } from '../../connect/tasks.ts';
import type { ChunkKey } from './chunk-query.ts';
import type { NamedPosition } from './named-position.ts';

/**
 * The compacted topic of what signals asked for and is not done: key JSON `[connector]`, value JSON of `SignalState`. A record
 * is durable with the group that holds the signal, or the rows, after which it is so.
 */
export const signalTopic = 'millrace-signals';

/** A table that an incremental snapshot has not finished. */
export interface ChunkedTable {
  readonly database: string;
  readonly table: string;
  readonly filter: string | null;
  readonly surrogateKey: string | null;
}

/** An incremental snapshot; its first table is the one that is being read. */
export interface IncrementalState {
  /** The signal's id. */
  readonly id: string;
  readonly tables: readonly ChunkedTable[];
  readonly maximum: ChunkKey | null;
  readonly last: ChunkKey | null;
  /** Of the first table, so far. */
  readonly rows: number;
  readonly paused: boolean;
}

/** A blocking snapshot that has not begun. */
export interface BlockingRequest {
  readonly id: string;
  /** The signal was a row of the stream. */
  readonly streamed: boolean;
  readonly collections: readonly string[];
  readonly conditions: readonly { readonly collection: string; readonly filter: string }[];
}

export interface SignalState {
  readonly incremental: IncrementalState | null;
  readonly blocking: readonly BlockingRequest[];
  /** Where the stream shall go on. */
  readonly jump: NamedPosition | null;
  /** Ids of the newest signals that asked for such a place: going back, the stream comes to them again. */
  readonly jumped: readonly string[];
}

const nothing: SignalState = { incremental: null, blocking: [], jump: null, jumped: [] };

export function signalRecord(connector: string, state: SignalState): StateRecord {
  const isEmpty = state.incremental === null && state.blocking.length === 0 && state.jumped.length === 0;
  return { topic: signalTopic, key: JSON.stringify([connector]), value: isEmpty ? null : JSON.stringify(state) };
}

export function readSignalState(connector: string, records: ReadonlyMap<string, string>): SignalState {
  const text = records.get(JSON.stringify([connector]));
  if (text === undefined) return nothing;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own record
  return { ...nothing, ...(JSON.parse(text) as Partial<SignalState>) };
}
