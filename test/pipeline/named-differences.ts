import type { ReplicaVerdict } from '../../src/cli/verify-replicas.ts';

/** `kind key: columns` of each difference. */
export function namedDifferences({ differences }: ReplicaVerdict): readonly string[] {
  return differences
    .map(({ kind, key, columns }) => {
      const row = Object.entries(key).map(([name, value]) => `${name}=${value ?? 'NULL'}`);
      return [kind, ...row, ...columns.map(({ name }) => name)].join(' ');
    })
    .toSorted();
}
