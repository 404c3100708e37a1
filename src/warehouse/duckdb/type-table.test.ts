import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderTypesPage } from './type-table.ts';

test('docs/types.md is what the code does (MILLRACE_UPDATE=1 writes it)', () => {
  const page = join(import.meta.dirname, '../../../docs/types.md');
  if (process.env['MILLRACE_UPDATE'] === '1') writeFileSync(page, renderTypesPage());
  assert.equal(readFileSync(page, 'utf8'), renderTypesPage());
});
