import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Millrace's own version. */
export function readVersion(): string {
  const json: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : '0';
}
