import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { SourceState, StateRecord } from '../connect/tasks.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import type { TableId } from '../event/table-schema.ts';
import type { StreamPosition } from './stream-contract.ts';
import { findLostPlace } from './lost-place.ts';
import type { EntryWithState } from './snapshot-entry.ts';
import { asksForAll, resyncTopic } from './snapshot-requests.ts';
import { readSnapshotState, snapshotRemovals, snapshotTopic } from './snapshot-state.ts';
import type { SourceConfig } from './source-config.ts';
import { readSteadyDefinitions, tableTopic } from './source-models.ts';
import type { SourceModels } from './source-models.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import type { SnapshotRequest } from './source-snapshot.ts';
import { readStoredPlace } from './exact-place.ts';
import { isAmidSnapshot } from './source-offset.ts';
import { takeOver } from './takeover/take-over.ts';

export interface StartOptions {
  readonly config: SourceConfig;
  readonly state: SourceState;
  readonly control: ServerConnection;
  readonly models: SourceModels;
  readonly log: Logger;
}

/** How a source begins, or goes on. */
export interface SourceStart {
  /** Where the stream goes on; undefined: where the snapshot's first view is. */
  readonly position: StreamPosition | undefined;
  /** The snapshot to take before or beside it. */
  readonly snapshot: SnapshotRequest | undefined;
  /** What the first group holds. */
  readonly first: EntryWithState | undefined;
  /** Records that become durable with the first batch. */
  readonly queued: readonly StateRecord[];
  /** Tables whose rows up to here a sink cannot have from this source. */
  readonly doubted?: readonly TableId[];
  /** No table is read anew before the stream is here: under the definition of then it could not read the rows before. */
  readonly catchUp?: BinlogPlace;
}

/**
 * Decides by what is stored, by `snapshot.mode` and by what the server still has.
 *
 * @throws BINLOG_PURGED, SCHEMA_UNKNOWN, CONFIG_UNREADABLE
 */
export async function decideStart(options: StartOptions, signal: AbortSignal): Promise<SourceStart> {
  const { config, state, control, log } = options;
  const records = state.state(snapshotTopic);
  const unfinished = readSnapshotState(config.name, records);
  const stored = readStoredPlace(config.name, state);
  // A first snapshot of which nothing is stored here was another's: it begins anew.
  const position = isAmidSnapshot(state.offset) && unfinished === undefined ? undefined : stored?.position;
  if (state.offset !== undefined && stored === undefined) throw noPlace(config.name, state.offset);
  const start = { position, snapshot: undefined, first: undefined, queued: [] };
  if (position !== undefined && (stored?.isForeign === true || state.state(tableTopic).size === 0)) {
    const taken = await takeOver(options, position, signal);
    // A snapshot that was begun belongs to the place that was.
    return { ...taken, queued: [...snapshotRemovals(config.name, records), ...taken.queued] };
  }
  if (config.snapshotMode === 'recovery') {
    if (position !== undefined) return takeOver(options, position, signal);
    throw new MillraceError('CONFIG_INVALID', `snapshot.mode=recovery goes on from a stored position, and ${config.name} has none`, {
      nextStep: 'Use another snapshot.mode.',
    });
  }
  if (position === undefined) {
    if (config.snapshotMode === 'no_data') return startWithoutData(options, signal);
    return { ...start, snapshot: { reason: 'there is no stored position', initial: true, anew: true } };
  }
  if (config.snapshotMode === 'always') {
    // What was written meanwhile is in the snapshot, and the stream goes on from there.
    const snapshot = { reason: 'snapshot.mode=always', initial: true, anew: true };
    return { ...start, position: undefined, snapshot, queued: snapshotRemovals(config.name, records) };
  }
  const lost = await findLostPlace(control, position, signal);
  if (lost === undefined) {
    if (unfinished === undefined) return start;
    return { ...start, snapshot: { reason: 'it was interrupted, and goes on', initial: unfinished.initial, anew: false } };
  }
  if (config.snapshotMode !== 'when_needed' && !asksForAll(config.name, state.state(resyncTopic))) {
    throw new MillraceError('BINLOG_PURGED', `${config.name} cannot go on from ${position.file}:${position.pos}: ${lost}`, {
      nextStep: 'Copy the tables again: `millrace resync --all`, or set snapshot.mode=when_needed, which does so by itself.',
      context: { file: position.file },
    });
  }
  log.warn({ file: position.file, pos: position.pos, reason: lost }, 'the place in the binlog is gone, all tables are read anew');
  // What an unfinished snapshot has read cannot be joined with the stream any more either.
  const queued = snapshotRemovals(config.name, records);
  const snapshot = { reason: 'the place in the binlog is gone', initial: unfinished?.initial ?? false, anew: true };
  return { ...start, position: undefined, snapshot, queued };
}

function noPlace(connector: string, offset: Readonly<Record<string, unknown>>): MillraceError {
  return new MillraceError('CONFIG_INVALID', `the stored offset of ${connector} names no place in the binlog: ${JSON.stringify(offset)}`, {
    nextStep: 'Set one with "file" and "pos", a number, or with "gtids"; or delete it, and all tables are copied.',
  });
}

/** The tables as they are, empty, and the stream from here on. */
async function startWithoutData({ control, models }: StartOptions, signal: AbortSignal): Promise<SourceStart> {
  const { tables, position } = await readSteadyDefinitions(control, models, signal);
  const changes = tables.map(({ captured }): SchemaChange => ({ kind: 'createTable', after: captured }));
  return {
    position: { ...position, eventsDone: 0 },
    snapshot: undefined,
    first: {
      entry: { kind: 'schema', database: '', statement: '', event: -1, changes },
      state: tables.flatMap(({ captured }) => models.define(captured)),
    },
    queued: [],
  };
}
