/** Offsets of connectors as Kafka Connect shows and sets them. */
import { MillraceError } from '../base/errors.ts';
import type { StateRecord, StoredOffset } from '../connect/tasks.ts';
import type { Log } from '../log/log.ts';
import { offsetKey, offsetTopic } from '../log/offset-records.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import { badRequest } from './connect-errors.ts';
import type { ConnectorOffset, ConnectorPlugin, ConnectorType, Message } from './connect-service.ts';
import { inJavaOrder } from '../base/java-hash.ts';
import { sinkTopicFilter } from './topic-filter.ts';
import { sinkOffsets } from './topic-positions.ts';

export interface OffsetOwner {
  readonly name: string;
  readonly type: ConnectorType;
  readonly config: Readonly<Record<string, string>>;
}

const { signal: never } = new AbortController();

export async function readConnectorOffsets(
  store: Log & TopicIndex,
  { name, type, config }: OffsetOwner,
): Promise<readonly ConnectorOffset[]> {
  if (type === 'sink') return sinkOffsets(store, name, sinkTopicFilter(config));
  const offsets = (await store.loadSource(name, never)).offsets ?? [];
  // One that someone set of no partition belongs to no task, and is not shown.
  const shown = offsets.filter((each): each is StoredOffset & { readonly partition: object } => each.partition !== null);
  return inJavaOrder(shown, ({ partition }) => partition);
}

/** Of a connector whose tasks have ended. */
export async function alterConnectorOffsets(
  store: Log & TopicIndex,
  owner: OffsetOwner & { readonly plugin: ConnectorPlugin },
  offsets: readonly ConnectorOffset[],
): Promise<Message> {
  const { name, type, config, plugin } = owner;
  assertPrimitive(offsets);
  if (type === 'sink') throw sinkOffsetsRefused(name);
  const confirmed = plugin.alterOffsets?.(config, offsets) ?? false;
  const before = (await store.loadSource(name, never)).offsets ?? [];
  // What else is stored belongs to the position that was: the task begins at the new one with nothing but it.
  store.clearSource(name);
  store.putSource(
    name,
    [...before, ...offsets].map((each) => offsetRecord(name, each)),
  );
  return { message: confirmed ? 'The offsets for this connector have been altered successfully' : managedText('altered') };
}

/** Of a connector whose tasks have ended; it begins anew. */
export function resetConnectorOffsets(
  store: Log & TopicIndex,
  { name, type, plugin }: OffsetOwner & { readonly plugin: ConnectorPlugin },
): Message {
  if (type === 'sink' && plugin.alterOffsets === undefined) throw sinkOffsetsRefused(name);
  if (type === 'sink') store.unregister(name);
  else store.clearSource(name);
  return {
    message: plugin.alterOffsets === undefined ? managedText('reset') : 'The offsets for this connector have been reset successfully',
  };
}

function offsetRecord(name: string, { partition, offset }: ConnectorOffset): StateRecord {
  return { topic: offsetTopic, key: offsetKey(name, partition), value: offset === null ? null : JSON.stringify(offset) };
}

function managedText(what: 'altered' | 'reset'): string {
  return (
    `The Connect framework-managed offsets for this connector have been ${what} successfully. However, if this connector manages offsets ` +
    `externally, they will need to be manually ${what} in the system that the connector uses.`
  );
}

/** As Kafka Connect says it, and with its status: 500. */
function assertPrimitive(offsets: readonly ConnectorOffset[]): void {
  for (const { offset } of offsets) {
    for (const [field, value] of Object.entries(offset ?? {})) {
      if (typeof value !== 'object' || value === null) continue;
      const type = Array.isArray(value) ? 'ARRAY' : 'MAP';
      throw new MillraceError('WORKER_REFUSED', `Offsets may only contain primitive types as values, but field ${field} contains ${type}`);
    }
  }
}

function sinkOffsetsRefused(name: string): MillraceError {
  return badRequest(
    `The offsets of the sink connector ${name} are stored in its replica, in the same transaction as the rows, and cannot be set apart from ` +
      'them. To copy tables again, run `millrace resync`.',
  );
}
