import { createBackoff } from '../base/backoff.ts';
import { isMillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import { openViewSource } from './consistent-view.ts';
import type { ViewSource } from './consistent-view.ts';
import { canBeLockFree } from './lock-free-view.ts';
import { comparePositions } from './server-position.ts';
import type { SnapshotOptions } from './snapshot-contract.ts';
import type { BinlogPlace } from './snapshot-table.ts';

/** Views of one round of a snapshot: all workers read in theirs at the same time. */
export interface RoundViews {
  readonly connections: readonly ServerConnection[];
  /** Of each connection's view. */
  readonly positions: readonly SourcePosition[];
  /** How long to read in them. */
  readonly roundMs: number;
}

export interface SnapshotViews extends AsyncDisposable {
  /**
   * Opens views at or after the stream's place. `hold` is told where the stream must stand still meanwhile: else it might
   * pass the views before their positions are known.
   */
  open(hold: (place: BinlogPlace | undefined) => void, signal: AbortSignal): Promise<RoundViews>;
}

/**
 * How long views are read in before new ones are opened, in milliseconds. Beside a running stream that is about as long as
 * the stream waits at most; else an old view hurts, since the server keeps what it shows. MariaDB holds the metadata locks of
 * what was read until the view ends (MySQL gives them back at ROLLBACK TO SAVEPOINT), and with them DDL and all who
 * come after it.
 */
const roundMs = {
  streaming: { lockFree: 200, lock: 3000 },
  alone: { mysql: 60_000, mariadb: 3000, lock: Number.POSITIVE_INFINITY },
} as const;
/** Beside a running stream, longest wait for a view before the stream is let go on. */
const streamingPatienceMs = 1500;
const defaultPatienceMs = 60_000;

export interface SnapshotViewsOptions {
  readonly options: SnapshotOptions;
  readonly control: ServerConnection;
  readonly log: Logger;
}

/** Connections are opened at the first need, and anew when the stream begins to run. */
export function createSnapshotViews({ options, control, log }: SnapshotViewsOptions): SnapshotViews {
  let current: (ViewSource & { readonly streaming: boolean; readonly lockFree: boolean }) | undefined;

  const sourceFor = async (streaming: boolean, signal: AbortSignal): Promise<NonNullable<typeof current>> => {
    if (current?.streaming === streaming) return current;
    await current?.[Symbol.asyncDispose]();
    current = undefined;
    const { connection, threads, lockWaitMs, method = 'auto', patienceMs } = options;
    const lockFree = method === 'lockFree' || (method !== 'lock' && (await canBeLockFree(control, signal)));
    const patience = streaming ? streamingPatienceMs : patienceMs;
    const source = await openViewSource(
      {
        connection,
        count: threads,
        lockWaitMs,
        method: streaming && lockFree ? 'lockFree' : method,
        repeated: streaming,
        log,
        ...(patience === undefined ? {} : { patienceMs: patience }),
      },
      signal,
    );
    current = Object.assign(source, { streaming, lockFree });
    return current;
  };

  return {
    async open(hold, signal) {
      const streaming = options.streamPlace?.() !== undefined;
      const source = await sourceFor(streaming, signal);
      const deadline = Date.now() + (options.patienceMs ?? defaultPatienceMs);
      const backoff = createBackoff({ firstMs: 500, maxMs: 5000 });
      for (;;) {
        const place = options.streamPlace?.();
        if (streaming) hold(place);
        try {
          const positions = await source.begin(signal);
          if (place === undefined || positions.every((position) => comparePositions(position, place) >= 0)) {
            if (streaming) hold(oldestOf(positions));
            const { connections, lockFree } = source;
            const { streaming: beside, alone } = roundMs;
            const how = lockFree ? 'lockFree' : 'lock';
            return {
              connections,
              positions,
              roundMs: streaming ? beside[how] : lockFree ? (options.roundMs ?? alone[control.version.flavor]) : alone.lock,
            };
          }
        } catch (error) {
          if (!streaming || !isMillraceError(error) || !error.retriable || Date.now() > deadline) throw error;
          log.info({ error: error.message }, 'no view yet, the stream goes on meanwhile');
        }
        hold(undefined);
        await backoff.wait(signal);
      }
    },
    async [Symbol.asyncDispose]() {
      // A connection may be in the middle of a result.
      for (const connection of current?.connections ?? []) connection.destroy();
      await current?.[Symbol.asyncDispose]();
    },
  };
}

/** The earliest of positions of one server; of no positions there is none. */
export function oldestOf(positions: readonly SourcePosition[]): SourcePosition {
  return positions.reduce((oldest, position) => (comparePositions(position, oldest) < 0 ? position : oldest));
}
