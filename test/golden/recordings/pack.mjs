/**
 * Packs a folder of recordings, one folder per scenario, into one file: `node pack.mjs FOLDER mysql.jsonl.zst`.
 * A line per scenario: its files by name. Repeated schemas make most of it, which the long window finds.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error('usage: node pack.mjs FOLDER FILE');
const lines = readdirSync(folder)
  .filter((name) => statSync(join(folder, name)).isDirectory())
  .toSorted()
  .map((name) => {
    const files = readdirSync(join(folder, name)).toSorted();
    return JSON.stringify(Object.fromEntries(files.map((each) => [each, readFileSync(join(folder, name, each), 'utf8')])));
  });
const params = {
  [constants.ZSTD_c_compressionLevel]: 19,
  [constants.ZSTD_c_windowLog]: 24,
  [constants.ZSTD_c_enableLongDistanceMatching]: 1,
};
writeFileSync(file, zstdCompressSync(Buffer.from(`${lines.join('\n')}\n`), { params }));
