import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExclusive } from './exclusive.ts';

test('works run one after the other in the order of their calls, also behind one that fails', async () => {
  const exclusive = createExclusive();
  const steps: string[] = [];
  const work = (name: string, fails = false) =>
    exclusive(async () => {
      steps.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('a'), work('b', true), work('c')]);
  assert.deepEqual(
    all.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason))),
    ['a', 'Error: b', 'c'],
  );
  assert.deepEqual(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
