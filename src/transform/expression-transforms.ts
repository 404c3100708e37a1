import { MillraceError, messageOf } from '../base/errors.ts';
import { defineConfig, notEmpty, oneOf } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import type { ConnectValue } from '../connect/data.ts';
import type { ConnectRecord, Transformation } from '../connect/record.ts';
import { compileExpression } from './expression/compile.ts';
import { kindOf } from './expression/scope.ts';
import { invalidProperty, transformation } from './plugin.ts';
import type { TransformationPlugin } from './plugin.ts';
import { dataFault } from './record-parts.ts';

/*
 * Filter and ContentBasedRouter with an expression: Millrace's own in JavaScript, and Debezium's, whose Groovy is taken as far
 * as it is the same.
 */

const common = defineConfig({
  'topic.regex': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Records of other topics pass as they are; empty: all are judged.',
  },
  'null.handling.mode': {
    type: 'string',
    default: 'keep',
    importance: 'low',
    doc: 'What becomes of records without a value: keep, drop, evaluate.',
    check: oneOf('keep', 'drop', 'evaluate'),
  },
});

const condition = {
  type: 'string',
  required: true,
  importance: 'high',
  doc: 'Records for which it is true stay, the others are dropped.',
  check: notEmpty,
} as const;
const topicExpression = {
  type: 'string',
  required: true,
  importance: 'high',
  doc: "The record's topic; null: it stays.",
  check: notEmpty,
} as const;
const own = {
  type: 'string',
  default: 'javascript',
  importance: 'low',
  doc: 'The language: javascript.',
  check: oneOf('javascript'),
} as const;
const debeziums = {
  type: 'string',
  required: true,
  importance: 'high',
  doc: 'The language: jsr223.groovy, as far as Millrace has it.',
  check: oneOf('jsr223.groovy', 'groovy'),
} as const;

interface Settings {
  readonly language: string;
  readonly 'topic.regex': string;
  readonly 'null.handling.mode': string;
}

type Judge = (value: ConnectValue, record: ConnectRecord) => ConnectRecord | null;

/** Evaluates for the records that the properties choose. */
function judging(property: string, text: string, settings: Settings, judge: Judge): Transformation {
  const groovy = settings.language.toLowerCase().endsWith('groovy');
  const expression = compiled(property, text, groovy);
  const nulls = settings['null.handling.mode'].toLowerCase();
  const topics = settings['topic.regex'] === '' ? undefined : compileJavaPattern(settings['topic.regex']);
  return (record) => {
    if (topics?.matches(record.topic) === false) return record;
    if (record.value === null && nulls !== 'evaluate') return nulls === 'keep' ? record : null;
    return judge(expression(record), record);
  };
}

function compiled(property: string, text: string, groovy: boolean): ReturnType<typeof compileExpression> {
  try {
    return compileExpression(text, groovy ? 'groovy' : 'javascript');
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    const of = groovy ? 'Groovy expression' : 'expression';
    const what = `the ${of} "${text}" cannot be used: ${messageOf(cause)}`;
    if (cause.code === 'CONFIG_INVALID') throw invalidProperty(property, what, cause);
    throw new MillraceError(cause.code, what, { cause, context: { property }, nextStep: cause.nextStep });
  }
}

const keep: Judge = (value, record) => {
  if (value === true) return record;
  if (value === false) return null;
  throw dataFault(`the condition gives ${kindOf(value)}, and must give true or false`);
};

const route: Judge = (value, record) => {
  if (value === null) return record;
  if (typeof value === 'string' && value !== '') return { ...record, topic: value };
  throw dataFault(`the topic expression gives ${kindOf(value)}, and must give a topic's name or null`);
};

export const expressionFilters: readonly TransformationPlugin[] = [
  transformation('io.millrace.transforms.Filter', defineConfig({ condition, language: own, ...common }), (config) =>
    judging('condition', config.condition, config, keep),
  ),
  transformation('io.debezium.transforms.Filter', defineConfig({ condition, language: debeziums, ...common }), (config) =>
    judging('condition', config.condition, config, keep),
  ),
];

export const contentBasedRouters: readonly TransformationPlugin[] = [
  transformation(
    'io.millrace.transforms.ContentBasedRouter',
    defineConfig({ 'topic.expression': topicExpression, language: own, ...common }),
    (config) => judging('topic.expression', config['topic.expression'], config, route),
  ),
  transformation(
    'io.debezium.transforms.ContentBasedRouter',
    defineConfig({ 'topic.expression': topicExpression, language: debeziums, ...common }),
    (config) => judging('topic.expression', config['topic.expression'], config, route),
  ),
];
