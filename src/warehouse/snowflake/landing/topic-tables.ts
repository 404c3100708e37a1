import { MillraceError } from '../../../base/errors.ts';
import { compileJavaPattern, type JavaPattern } from '../../../config/java-pattern.ts';

/** A pair of `snowflake.topic2table.map`. */
interface MappedTopic {
  readonly topic: string;
  readonly table: string;
  readonly pattern: JavaPattern | undefined;
}

export interface TopicTablesOptions {
  /** `snowflake.topic2table.map`. */
  readonly map: string;
  /** `snowflake.topic2table.map.regex.replacement`. */
  readonly replacesGroups: boolean;
  /** Whether topics that are not mapped become legal identifiers, as in versions 2 and 3; else they are taken as they are. */
  readonly sanitizes: boolean;
}

/** The table that a topic's records land in, unquoted. @throws CONFIG_INVALID when two pairs of the map match a topic */
export type TopicTables = (topic: string) => string;

/**
 * Names of landing tables, by the rules of Snowflake's Kafka connector. Source: TopicToTableParser and
 * Utils.generateTableName of snowflake-kafka-connector 2.5 to 4.1.
 *
 * @throws CONFIG_INVALID for a map that cannot be read, or has a topic twice
 */
export function createTopicTables({ map, replacesGroups, sanitizes }: TopicTablesOptions): TopicTables {
  const pairs = parsePairs(map);
  const exact = new Map<string, string>();
  for (const { topic, table } of pairs) {
    if (exact.has(topic)) throw invalid(`has the topic "${topic}" twice`);
    exact.set(topic, table);
  }
  for (const each of pairs) checkOverlap(each, pairs);
  return (topic) => {
    const direct = exact.get(topic);
    if (direct !== undefined) return unquotedTarget(direct);
    const matching = pairs.filter(({ pattern }) => pattern?.matches(topic) === true);
    const [first, second] = matching;
    if (first !== undefined && second !== undefined) {
      throw invalid(`maps ${topic} twice: by "${first.topic}" and by "${second.topic}"`);
    }
    if (first !== undefined) {
      const { pattern, table } = first;
      return unquotedTarget(replacesGroups && pattern !== undefined ? pattern.replacement(table)(topic) : table);
    }
    return sanitizes ? sanitizedName(topic) : topic;
  };
}

const legalIdentifier = /^[_a-zA-Z][_$a-zA-Z0-9]+$/;

/** A topic's name as an identifier that needs no quotes; a hash tells those apart that would be one. */
export function sanitizedName(topic: string): string {
  if (legalIdentifier.test(topic)) return topic.toUpperCase();
  let name = topic.replaceAll('.*', '');
  if (!/^[_a-zA-Z]/.test(name)) name = `_${name}`;
  return `${name.replaceAll(/[^_$a-zA-Z0-9]/g, '_')}_${Math.abs(javaHash(topic))}`.toUpperCase();
}

/** Java's `String.hashCode`. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/** `topic:table` pairs; either side may be in double quotes, in which commas and colons stand for themselves. */
function parsePairs(map: string): readonly MappedTopic[] {
  const pairs: MappedTopic[] = [];
  const side = String.raw`\s*("(?:[^"]|"")*"|[^",:\s](?:[^,:]*[^,:\s])?)\s*`;
  const pair = new RegExp(`${side}:${side}(?:,|$)`, 'y');
  const text = map.trim();
  while (pair.lastIndex < text.length) {
    const from = pair.lastIndex;
    const match = pair.exec(text);
    const [, topic, table] = match ?? [];
    if (topic === undefined || table === undefined) {
      throw invalid(`cannot be read from "${text.slice(from)}" on: it has pairs topic:table, separated by commas`);
    }
    if (!table.startsWith('"') && !/^[_a-zA-Z$][_$a-zA-Z0-9.]*$/.test(table)) {
      throw invalid(`has the table ${table}, which is no identifier: put it in double quotes`);
    }
    const name = topic.startsWith('"') ? topic.slice(1, -1) : topic;
    pairs.push({ topic: name, table, pattern: patternOf(name) });
  }
  return pairs;
}

function patternOf(topic: string): JavaPattern | undefined {
  try {
    return compileJavaPattern(topic);
  } catch {
    // a plain name with a character that means something in expressions
    return undefined;
  }
}

/** An expression that matches the text of another pair's would take its topics. */
function checkOverlap({ topic, pattern }: MappedTopic, pairs: readonly MappedTopic[]): void {
  const isPlain = /^[\w-]+(?:\.[\w-]+)*$/.test(topic);
  for (const other of pairs) {
    if (other.topic === topic || isPlain || pattern?.matches(other.topic) !== true) continue;
    throw invalid(`has "${topic}", which matches "${other.topic}", too`);
  }
}

function unquotedTarget(table: string): string {
  return table.startsWith('"') ? table.slice(1, -1).replaceAll('""', '"') : table.toUpperCase();
}

function invalid(what: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', `snowflake.topic2table.map ${what}`, {
    nextStep: 'Correct snowflake.topic2table.map: topic:table pairs, each topic matched by one of them.',
  });
}
