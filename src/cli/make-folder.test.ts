import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './make-folder.ts';

test('a folder is made with those above it; a file in its place and a folder that may not be written to are told by name', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-folder-'));
  try {
    const deep = join(folder, 'a', 'b');
    makeFolder(deep, 'the data folder');
    makeFolder(deep, 'the data folder');
    assert.ok(existsSync(deep));
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const unusable = { code: 'FOLDER_UNUSABLE', message: /file.*, the data folder, cannot be used: E/ };
    assert.throws(() => makeFolder(file, 'the data folder'), unusable);
    assert.throws(() => makeFolder(join(file, 'below'), 'the data folder'), unusable);
    if (process.getuid?.() === 0) {
      t.diagnostic('root may write everywhere: a folder without permission is not tried');
      return;
    }
    chmodSync(deep, 0o500);
    assert.throws(() => makeFolder(deep, 'the data folder'), { code: 'FOLDER_UNUSABLE' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
