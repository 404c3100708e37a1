import { sleep } from '../base/abort.ts';
import { openConnection } from '../binlog/connection.ts';
import { compareBinlogPositions } from '../binlog/positions.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import { connectionSettings } from '../mysql/connection-settings.ts';
import { readServerPosition } from '../mysql/server-position.ts';
import type { Herder } from '../worker/herder.ts';
import { sinksOf } from './connectors.ts';
import type { CheckedSource } from './connectors.ts';
import type { RunningWorker } from './worker.ts';

/**
 * Waits until every sink has committed all that the sources' servers had written when this was called. In two steps,
 * since a snapshot's first chunks are already at a position past that: first the source must have everything in the log,
 * then each sink must have committed the log up to there, and have no table that waits for a snapshot.
 */
export async function waitUntilCaughtUp(worker: RunningWorker, signal: AbortSignal): Promise<void> {
  const ends = await Promise.all(worker.connectors.sources.map(async (source) => ({ source, end: await readEnd(source, signal) })));
  const sinks = sinksOf(worker.connectors).map((sink) => sink.connector.name);
  for (const { source, seq } of worker.imports) await waitForGroups(worker.herder, { sinks, source, seq }, signal);
  await Promise.all(
    ends.map(async ({ source, end }) => {
      worker.log.info({ connector: source.connector.name, file: end.file, pos: end.pos }, 'catching up to what the server had written');
      const seq = await waitForSource(worker, source, end, signal);
      await waitForSinks(worker, source, seq, signal);
    }),
  );
}

/** Where the server's binlog ends now. */
async function readEnd({ config }: CheckedSource, signal: AbortSignal): Promise<SourcePosition> {
  await using connection = await openConnection(connectionSettings(config.server), signal);
  return await readServerPosition(connection, signal);
}

/** Waits until the log has everything up to the position; gives the number of a group that is not before it. */
async function waitForSource(
  { herder }: RunningWorker,
  { connector }: CheckedSource,
  end: SourcePosition,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const metrics = herder.sourceMetrics().find((each) => each.connector === connector.name);
    if (metrics?.position !== undefined && !metrics.snapshotting && isAtOrPast(metrics.position, end)) return metrics.seq;
    await sleep(20, signal);
  }
}

async function waitForSinks(
  { herder, connectors }: RunningWorker,
  { config }: CheckedSource,
  seq: number,
  signal: AbortSignal,
): Promise<void> {
  const source = config.topicPrefix;
  const sinks = sinksOf(connectors).filter((sink) => sink.sources.includes(source));
  await waitForGroups(herder, { sinks: sinks.map(({ connector }) => connector.name), source, seq }, signal);
}

interface GroupsToCommit {
  readonly sinks: readonly string[];
  readonly source: string;
  readonly seq: number;
}

/** Waits until the sinks have committed a source's groups up to this one, with no table left that waits for a snapshot. */
async function waitForGroups(herder: Herder, { sinks, source, seq }: GroupsToCommit, signal: AbortSignal): Promise<void> {
  const isBehind = (name: string): boolean => {
    const metrics = herder.sinkMetrics().find((each) => each.connector === name);
    const own = metrics?.sources.find((each) => each.source === source);
    return metrics?.state !== 'RUNNING' || own === undefined || own.seq < seq || own.unfinished.length > 0;
  };
  while (sinks.some(isBehind)) await sleep(20, signal);
}

function isAtOrPast(position: SourcePosition, end: SourcePosition): boolean {
  const order = compareBinlogPositions({ file: position.file, position: position.pos }, { file: end.file, position: end.pos });
  // The server's binlog files have another name than before: it has been set up anew, and nothing old is left to wait for.
  return order === undefined || order >= 0;
}
