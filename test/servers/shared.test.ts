import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from './shared.ts';

for (const flavor of flavors) {
  test(`a shared ${flavor} server is one server, and each test has a database of its own`, { skip: withoutServer(flavor) }, async () => {
    const [one, two] = await Promise.all([sharedServer(flavor), sharedServer(flavor)]);
    assert.equal(one.pid, two.pid);
    await using first = await freshDatabase(one);
    await using second = await freshDatabase(two);
    assert.notEqual(first.name, second.name);
    await first.root.query('CREATE TABLE t (id int PRIMARY KEY)');
    const [tables] = await second.root.query('SHOW TABLES');
    assert.deepEqual(tables, []);
  });
}
