import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface StagedFile {
  /** Within the stage. */
  readonly path: string;
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly modifiedMs: number;
}

/** The files of internal stages, a folder per stage. A file is there whole or not at all. */
export class StageFiles {
  readonly #folder: string;
  readonly #digests = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  #stageFolder(stageId: number): string {
    return join(this.#folder, `s${stageId}`);
  }

  #file(stageId: number, path: string): string {
    const folder = this.#stageFolder(stageId);
    const file = resolve(folder, path);
    if (!file.startsWith(`${folder}/`)) throw new Error(`a path out of the stage: ${path}`);
    return file;
  }

  async put(stageId: number, path: string, content: Readable): Promise<void> {
    const file = this.#file(stageId, path);
    await mkdir(dirname(file), { recursive: true });
    const partial = `${file}.partial`;
    const digest = createHash('md5');
    content.on('data', (chunk: Buffer) => digest.update(chunk));
    await pipeline(content, createWriteStream(partial));
    await rename(partial, file);
    this.#digests.set(file, digest.digest('hex'));
  }

  async has(stageId: number, path: string): Promise<boolean> {
    return stat(this.#file(stageId, path)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  /** Files whose path begins with a prefix, in the order of their paths. */
  async list(stageId: number, prefix: string): Promise<readonly StagedFile[]> {
    const folder = this.#stageFolder(stageId);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files: StagedFile[] = [];
    for (const entry of entries) {
      const file = join(entry.parentPath, entry.name);
      const path = relative(folder, file);
      if (!entry.isFile() || path.endsWith('.partial') || !path.startsWith(prefix)) continue;
      const found = await stat(file);
      files.push({ path, file, size: found.size, md5: await this.#digest(file), modifiedMs: found.mtimeMs });
    }
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  async remove(file: StagedFile): Promise<void> {
    await rm(file.file, { force: true });
    this.#digests.delete(file.file);
  }

  async drop(stageId: number): Promise<void> {
    await rm(this.#stageFolder(stageId), { recursive: true, force: true });
  }

  async #digest(file: string): Promise<string> {
    const known = this.#digests.get(file);
    if (known !== undefined) return known;
    const digest = createHash('md5');
    await pipeline(createReadStream(file), digest);
    const hex = digest.digest('hex');
    this.#digests.set(file, hex);
    return hex;
  }
}
