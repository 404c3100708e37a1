import { compileJavaPattern } from '../config/java-pattern.ts';
import type { TableId } from '../event/table-schema.ts';

type Properties = Readonly<Record<string, string | undefined>>;

/** Names the topic of a table's records, which is the name of their schemas, too. */
export type NameTopic = (table: TableId) => string;

/** `topic.naming.strategy`, by the class's own name; the one of the schema names tables of MySQL as the default one does. */
export function topicNaming(properties: Properties, topicPrefix: string, delimiter: string): NameTopic {
  const strategy = properties['topic.naming.strategy']?.trim().split('.').at(-1) ?? '';
  const join = ({ database, table }: TableId): string => [topicPrefix, database, table].join(delimiter);
  if (strategy.includes('Unicode')) return (table) => sanitized(join(table), unicodeEscape, /[^A-Za-z0-9.-]/g);
  const sanitize = (name: string): string => sanitized(name, () => '_', /[^A-Za-z0-9._-]/g);
  const regex = properties['topic.regex'] ?? '';
  if (strategy !== 'DefaultRegexTopicNamingStrategy' || regex === '') return (table) => sanitize(join(table));
  const pattern = compileJavaPattern(regex);
  const replace = pattern.replacement(properties['topic.replacement'] ?? '');
  return (table) => {
    const name = join(table);
    const replaced = pattern.matches(name) ? replace(name) : '';
    return sanitize(replaced === '' ? name : replaced);
  };
}

/** One by UTF-16 unit, as Java counts. */
function sanitized(name: string, replace: (unit: string) => string, illegal: RegExp): string {
  return name.replaceAll(illegal, replace).slice(0, 249);
}

function unicodeEscape(unit: string): string {
  return `_u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export type NameMode = 'none' | 'avro' | 'avro_unicode';

/** A name of a schema (`dots`: with its parts) or a field, fit for Avro: with `_`, or with `_u` and four digits, `_` included. */
export function adjustedName(name: string, mode: NameMode, dots: boolean): string {
  if (mode === 'none') return name;
  const rest = dots ? 'A-Za-z0-9.' : 'A-Za-z0-9';
  if (mode === 'avro_unicode') {
    const escaped = name.replaceAll(new RegExp(`[^${rest}]`, 'g'), unicodeEscape);
    return /^\d/.test(escaped) ? `${unicodeEscape(escaped)}${escaped.slice(1)}` : escaped;
  }
  const replaced = name.replaceAll(new RegExp(`[^${rest}_]`, 'g'), '_');
  return /^\d/.test(replaced) ? `_${replaced}` : replaced;
}
