import type { ConfigKey } from '../config/config-key.ts';

/** Properties of the two file connectors, as Kafka Connect 4.3 shows them. */
export const fileSourceKeys: readonly ConfigKey[] = [
  { facts: ['file', 'STRING', null, 'HIGH', null, -1, 'NONE', 'file'], doc: 'Path of the file whose lines are read.' },
  {
    facts: ['topic', 'STRING', null, 'HIGH', null, -1, 'NONE', 'topic'],
    required: true,
    doc: 'Topic that the lines are written to.',
    check: (value) => (value === '' ? ['Invalid value  for configuration topic: String must be non-empty'] : []),
  },
  { facts: ['batch.size', 'INT', '2000', 'LOW', null, -1, 'NONE', 'batch.size'], doc: 'Most lines that are read at a time.' },
];

export const fileSinkKeys: readonly ConfigKey[] = [
  {
    facts: ['file', 'STRING', null, 'HIGH', null, -1, 'NONE', 'file'],
    doc: 'Path of the file that lines are added to; without it, the standard output.',
  },
];

type Offset = { readonly partition: Readonly<Record<string, unknown>> | null; readonly offset: Readonly<Record<string, unknown>> | null };

/**
 * What is wrong with offsets that someone sets; undefined: nothing. Source: FileStreamSourceConnector.alterOffsets.
 */
export function fileOffsetFault(offsets: readonly Offset[]): string | undefined {
  for (const { partition, offset } of offsets) {
    if (partition === null || !Object.hasOwn(partition, 'filename')) return "Partition objects should contain the key 'filename'";
    if (offset === null) continue;
    if (!Object.hasOwn(offset, 'position')) return "Offset objects should either be null or contain the key 'position'";
    const { position } = offset;
    if (typeof position !== 'number' || !Number.isInteger(position)) {
      return "The value for the 'position' key in the offset is expected to be a Long value";
    }
    if (position < 0) return "The value for the 'position' key in the offset should be a non-negative value";
  }
  return undefined;
}
