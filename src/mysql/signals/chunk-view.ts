import { MillraceError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ConnectionSettings, ServerConnection } from '../../binlog/connection.ts';
import type { SourcePosition } from '../../connect/commit-group.ts';
import { openViewSource } from '../consistent-view.ts';
import type { ViewSource } from '../consistent-view.ts';

/** A view of a chunk whose place in the binlog is known. */
export interface OpenChunkView {
  readonly connection: ServerConnection;
  readonly position: SourcePosition;
  end(signal: AbortSignal): Promise<void>;
}

/** Views for reading chunks without a write to the server. */
export interface ChunkView extends AsyncDisposable {
  begin(signal: AbortSignal): Promise<OpenChunkView>;
}

/** Longest wait for a read lock, where there is no other way (MySQL without GTIDs). */
const lockWaitMs = 2000;

export function openChunkView(connection: ConnectionSettings, log: Logger): ChunkView {
  let source: ViewSource | undefined;
  return {
    async begin(signal) {
      source ??= await openViewSource({ connection, count: 1, lockWaitMs, repeated: true, log }, signal);
      const [position] = await source.begin(signal);
      const [own] = source.connections;
      if (position === undefined || own === undefined) throw new MillraceError('INTERNAL', 'a view without a position');
      return {
        connection: own,
        position,
        async end(endSignal) {
          await own.query('ROLLBACK', endSignal);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const each of source?.connections ?? []) each.destroy();
      await source?.[Symbol.asyncDispose]();
    },
  };
}
