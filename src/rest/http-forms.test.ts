import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedJson, isJsonBody } from './accept.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import { readListeners } from './listeners.ts';
import { createLoggers } from './loggers.ts';
import { prometheusText } from './prometheus-text.ts';
import { readHeaderRules } from './response-headers.ts';

test('JSON is what an Accept header takes, or there is no answer', () => {
  assert.equal(acceptedJson(undefined), 'application/json');
  assert.equal(acceptedJson('text/html, */*;q=0.1'), 'application/json');
  assert.equal(acceptedJson('application/json;charset=utf-8'), 'application/json;charset=utf-8');
  assert.equal(acceptedJson('application/json;q=0'), undefined);
  assert.equal(acceptedJson('text/plain'), undefined);
  assert.ok(isJsonBody('Application/JSON; charset=UTF-8'));
  assert.ok(!isJsonBody('text/plain'));
  assert.ok(!isJsonBody(undefined));
});

test('browsers of other origins are told nothing', () => {
  const rule = { origins: ['http://a'], methods: 'GET,POST' };
  assert.deepEqual(crossOriginHeaders(rule, { origin: 'http://b', isPreflight: true }), []);
  assert.deepEqual(crossOriginHeaders(rule, { origin: undefined, isPreflight: false }), []);
  assert.deepEqual(crossOriginHeaders(rule, { origin: 'http://a', isPreflight: false }), [['access-control-allow-origin', 'http://a']]);
  const preflight = Object.fromEntries(crossOriginHeaders({ ...rule, origins: ['*'] }, { origin: 'http://b', isPreflight: true }));
  assert.equal(preflight['access-control-allow-methods'], 'GET,POST');
});

test('addresses of listeners', () => {
  assert.deepEqual(readListeners('listeners', ['http://127.0.0.1:8083', 'HTTPS://:9', 'http://[::1]:0']), [
    { protocol: 'http', host: '127.0.0.1', port: 8083 },
    { protocol: 'https', host: undefined, port: 9 },
    { protocol: 'http', host: '::1', port: 0 },
  ]);
  for (const wrong of ['127.0.0.1:8083', 'ftp://x:1', 'http://x:70000', 'http://x']) {
    assert.throws(() => readListeners('listeners', [wrong]), { code: 'CONFIG_INVALID' });
  }
});

test('header rules as Jetty reads them', () => {
  const rules = readHeaderRules('set X-A: 1, "add Cache-Control: no-cache, no-store", addDate Expires: 1000');
  const at = new Date(0);
  assert.deepEqual(
    rules.map((rule) => rule(at)),
    [
      ['X-A', '1'],
      ['Cache-Control', 'no-cache, no-store'],
      ['Expires', 'Thu, 01 Jan 1970 00:00:01 GMT'],
    ],
  );
  assert.throws(() => readHeaderRules('put X: 1'), { code: 'CONFIG_INVALID' });
});

test('a logger is set with those below it, and the most talkative one sets the level', () => {
  const told: string[] = [];
  const loggers = createLoggers(['a.b', 'a.b.C', 'a.x'], (level) => told.push(level));
  assert.deepEqual(loggers.set('a.b', 'debug'), ['a.b', 'a.b.C']);
  assert.deepEqual(loggers.set('a.b', 'DEBUG'), []);
  assert.equal(loggers.get('a.x').level, 'INFO');
  assert.deepEqual(loggers.set('com.example.New', 'WARN'), ['com.example.New']);
  assert.equal(loggers.set('root', 'ERROR').length, 5);
  assert.deepEqual(told, ['debug', 'debug', 'debug', 'error']);
  assert.throws(() => loggers.set('a.b', 'LOUD'), /invalid log level 'LOUD'/);
  assert.throws(() => loggers.get('nope'), { code: 'CONNECTOR_NOT_FOUND' });
});

test('the text form of metrics', () => {
  const text = prometheusText([
    {
      name: 'a',
      type: 'gauge',
      help: 'x\ny',
      samples: [{ labels: { l: 'q"\\\n' }, value: true }, { value: Infinity }, { value: undefined }],
    },
    { name: 'b', type: 'counter', help: 'none', samples: [{ value: undefined }] },
  ]);
  assert.equal(text, String.raw`# HELP a x\ny` + '\n# TYPE a gauge\n' + String.raw`a{l="q\"\\\n"} 1` + '\na +Inf\n');
});
