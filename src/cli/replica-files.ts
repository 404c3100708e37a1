import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const name = 'replicas.json';

/** Notes the replica files of a worker, so that commands find them when it no longer runs. */
export function writeReplicaFiles(dataFolder: string, files: readonly string[]): void {
  writeFileSync(join(dataFolder, name), `${JSON.stringify(files)}\n`);
}

/** The replica files of the data folder's last worker; none if there was none. */
export function readReplicaFiles(dataFolder: string): readonly string[] {
  try {
    const files: unknown = JSON.parse(readFileSync(join(dataFolder, name), 'utf8'));
    return Array.isArray(files) ? files.filter((file) => typeof file === 'string') : [];
  } catch {
    return [];
  }
}
