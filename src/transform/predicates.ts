import { defineConfig, notEmpty } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import { predicate } from './plugin.ts';
import type { PredicatePlugin } from './plugin.ts';

const headerDefinition = defineConfig({
  name: { type: 'string', required: true, importance: 'medium', doc: 'Name of the header.', check: notEmpty },
});

const topicDefinition = defineConfig({
  pattern: { type: 'string', required: true, importance: 'medium', doc: 'Regular expression that whole topic names must match.' },
});

/** The classes that `predicates.<alias>.type` can name: Kafka Connect's own. */
export const predicates: readonly PredicatePlugin[] = [
  predicate(
    'org.apache.kafka.connect.transforms.predicates.HasHeaderKey',
    headerDefinition,
    ({ name }) =>
      (record) =>
        record.headers.some((header) => header.name === name),
  ),
  predicate('org.apache.kafka.connect.transforms.predicates.RecordIsTombstone', defineConfig({}), () => (record) => record.value === null),
  predicate('org.apache.kafka.connect.transforms.predicates.TopicNameMatches', topicDefinition, (config) => {
    const pattern = compileJavaPattern(config.pattern);
    return (record) => pattern.matches(record.topic);
  }),
];
