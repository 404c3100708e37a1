import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { createCaller, serveCalls } from './rpc.ts';

type Sample = {
  add: { params: readonly [number, number]; result: number };
  fail: { params: string; result: never };
  hang: { params: null; result: never };
};

function open(): { caller: ReturnType<typeof createCaller<Sample>>; aborted: Promise<unknown>; close: () => void } {
  const { port1, port2 } = new MessageChannel();
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  serveCalls<Sample>(port2, {
    add: ([a, b]) => Promise.resolve(a + b),
    fail: (text) => Promise.reject(new MillraceError('CONFIG_INVALID', text, { nextStep: 'Do this.', context: { a: 1 } })),
    async hang(_params, signal) {
      await once(signal, 'abort');
      resolve(signal.reason);
      throw new Error('late');
    },
  });
  return { caller: createCaller<Sample>(port1), aborted, close: () => port2.close() };
}

test('answers come to their calls, whatever their order', async () => {
  const { caller, close } = open();
  const { signal } = new AbortController();
  assert.deepEqual(await Promise.all([caller.call('add', [1, 2], signal), caller.call('add', [3, 4], signal)]), [3, 7]);
  close();
});

test('an error arrives whole', async () => {
  const { caller, close } = open();
  await assert.rejects(caller.call('fail', 'bad', new AbortController().signal), (error: unknown) => {
    assert.ok(isMillraceError(error, 'CONFIG_INVALID'));
    assert.deepEqual([error.message, error.nextStep, error.context], ['bad', 'Do this.', { a: 1 }]);
    return true;
  });
  close();
});

test('an aborted call rejects with the reason and cancels the work at the other end', async () => {
  const { caller, aborted, close } = open();
  const controller = new AbortController();
  const call = caller.call('hang', null, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(call, /enough/);
  assert.ok(isMillraceError(await aborted, 'ABORTED'));
  close();
});

test('calls that are under way when the port closes are rejected', async () => {
  const { caller, close } = open();
  const call = caller.call('hang', null, new AbortController().signal);
  setTimeout(close, 10);
  await assert.rejects(call, (error: unknown) => isMillraceError(error, 'WORKER_REFUSED'));
});
