import { isJsonObject } from '../base/json-object.ts';
import { MillraceError } from '../base/errors.ts';
import type { StoredOffset } from '../connect/tasks.ts';

/** Kafka Connect's topic of source offsets: key `["<connector>",<partition>]`, value the offset, both JSON. */
export const offsetTopic = 'connect-offsets';

/** Members in their order, as Connect's JsonConverter writes them. */
export function offsetKey(connector: string, partition: StoredOffset['partition']): string {
  return JSON.stringify([connector, partition]);
}

/** @throws LOG_CORRUPT */
export function readOffsets(records: ReadonlyMap<string, string>): readonly StoredOffset[] {
  return [...records].map(([key, value]) => {
    const parts: unknown = JSON.parse(key);
    const offset: unknown = JSON.parse(value);
    const partition: unknown = Array.isArray(parts) ? parts[1] : undefined;
    if ((partition !== null && !isJsonObject(partition)) || !isJsonObject(offset)) {
      throw new MillraceError('LOG_CORRUPT', `The offset ${key} in the log is ${value}`);
    }
    return { partition, offset };
  });
}
