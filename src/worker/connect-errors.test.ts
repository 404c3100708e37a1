import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidConfig, noConnectorClass } from './connect-errors.ts';

// The texts are Kafka Connect 4.3's, as it answered these configurations.
test('a configuration without a class is shown in the order of its Java map', () => {
  const text = (config: Readonly<Record<string, string | null>>): string => noConnectorClass(config).message;
  assert.equal(text({ a: 'b', name: 'c-noclass' }), 'Connector config {name=c-noclass, a=b} contains no connector type');
  assert.equal(
    text({ 'connector.class': null, name: 'c-noclass' }),
    'Connector config {connector.class=null, name=c-noclass} contains no connector type',
  );
  assert.equal(
    text({
      name: 'k-patch',
      'tasks.max': '1',
      topic: 'rg-k',
      file: '<files>/in.txt',
      yes: 'true',
      extra: '2',
      num: '5',
      added: 'yes',
      'batch.size': '9',
    }),
    'Connector config {file=<files>/in.txt, added=yes, tasks.max=1, yes=true, extra=2, num=5, batch.size=9, name=k-patch, topic=rg-k} contains no connector type',
  );
});

test('errors of a configuration are listed as in Connect', () => {
  assert.equal(
    invalidConfig(['Invalid value 0 for configuration tasks.max: Value must be at least 1']).message,
    'Connector configuration is invalid and contains the following 1 error(s):\n' +
      'Invalid value 0 for configuration tasks.max: Value must be at least 1\n' +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  );
});
