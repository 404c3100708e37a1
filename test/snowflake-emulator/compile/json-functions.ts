import { unknownForm } from '../snowflake-error.ts';
import { boolean, isSemiStructured, text, variant } from '../sql/sf-type.ts';
import { cast, toVariant } from './cast.ts';
import { type Argument, type Build, count, nothing } from './function.ts';
import { asText, invalidArguments } from './operators.ts';
import { quoteText, type Typed } from './typed.ts';

function parseJson(args: readonly Argument[], name: string): Typed {
  count(args, name, 1);
  const [value = nothing] = args;
  if (value.type.kind !== 'text' && value.type.kind !== 'null') throw invalidArguments(name, value);
  return { sql: `sf_parse_json(CAST(${value.sql} AS VARCHAR))`, type: variant };
}

function tryParseJson(args: readonly Argument[], name: string): Typed {
  const { sql, type } = parseJson(args, name);
  return { sql: `CASE WHEN sf_is_json(${args[0]?.sql ?? ''}) = 'true' THEN ${sql} END`, type };
}

/** Of an OBJECT: pairs whose value is NULL are left out, unless they are kept as JSON's null. */
function objectConstruct(keepNull: boolean): Build {
  return (args, name) => {
    if (args.length % 2 === 1) throw unknownForm(`${name} with an odd number of arguments`);
    const members: string[] = [];
    for (let index = 0; index < args.length; index += 2) {
      const [key = nothing, value = nothing] = args.slice(index, index + 2);
      const json = toVariant(value.sql, value.type);
      const pair = (sql: string): string => `CAST(to_json(${asText(key, name)}) AS VARCHAR) || ':' || ${sql}`;
      members.push(keepNull ? pair(`coalesce(${json}, 'null')`) : `CASE WHEN (${value.sql}) IS NOT NULL THEN ${pair(json)} END`);
    }
    const list = `list_filter([${members.join(', ')}]::VARCHAR[], lambda x: x IS NOT NULL)`;
    return { sql: `sf_parse_json('{' || array_to_string(${list}, ',') || '}')`, type: { kind: 'object' } };
  };
}

function arrayConstruct(args: readonly Argument[]): Typed {
  const elements = args.map((arg) => `coalesce(${toVariant(arg.sql, arg.type)}, 'null')`);
  return { sql: `('[' || array_to_string([${elements.join(', ')}]::VARCHAR[], ',') || ']')`, type: { kind: 'array' } };
}

function typeOf(args: readonly Argument[], name: string): Typed {
  count(args, name, 1);
  const [value = nothing] = args;
  if (!isSemiStructured(value.type)) throw invalidArguments(name, value);
  const v = value.sql;
  const sql = `CASE WHEN ${v} = 'null' THEN 'NULL_VALUE' WHEN ${v} IN ('true', 'false') THEN 'BOOLEAN' WHEN ${v} LIKE '"%' THEN 'VARCHAR'
    WHEN ${v} LIKE '{%' THEN 'OBJECT' WHEN ${v} LIKE '[%' THEN 'ARRAY' WHEN ${v} LIKE '%e%' THEN 'DOUBLE' WHEN ${v} LIKE '%.%' THEN 'DECIMAL'
    WHEN ${v} IS NOT NULL THEN 'INTEGER' END`;
  return { sql, type: text };
}

/** `x:"k"`, `x[0]`: what is not there is NULL. */
export function path(value: Typed, step: string | number | Argument): Typed {
  if (!isSemiStructured(value.type)) throw invalidArguments('GET', value);
  if (typeof step === 'number') return { sql: `sf_element(${value.sql}, '${step}')`, type: variant };
  if (typeof step === 'string') return { sql: `sf_member(${value.sql}, ${quoteText(step)})`, type: variant };
  const of = step.type.kind === 'number' ? 'sf_element' : 'sf_member';
  return { sql: `${of}(${value.sql}, CAST(${step.sql} AS VARCHAR))`, type: variant };
}

export const jsonFunctions: Readonly<Record<string, Build>> = {
  PARSE_JSON: parseJson,
  TRY_PARSE_JSON: tryParseJson,
  TO_JSON: (args, name) => {
    count(args, name, 1);
    const [value = nothing] = args;
    if (!isSemiStructured(value.type)) throw invalidArguments(name, value);
    return { sql: value.sql, type: text };
  },
  TO_VARIANT: (args, name) => {
    count(args, name, 1);
    return cast(args[0] ?? nothing, variant, 'explicit');
  },
  OBJECT_CONSTRUCT: objectConstruct(false),
  OBJECT_CONSTRUCT_KEEP_NULL: objectConstruct(true),
  ARRAY_CONSTRUCT: arrayConstruct,
  ARRAY_SIZE: (args, name) => {
    count(args, name, 1);
    const [value = nothing] = args;
    if (value.type.kind !== 'array' && value.type.kind !== 'variant') throw invalidArguments(name, value);
    return {
      sql: `CASE WHEN starts_with(${value.sql}, '[') THEN CAST(json_array_length(${value.sql}) AS BIGINT) END`,
      type: { kind: 'number', precision: 9, scale: 0 },
    };
  },
  GET: (args, name) => {
    count(args, name, 2);
    const [value = nothing, key = nothing] = args;
    return path(value, key.literal === undefined ? key : key.type.kind === 'number' ? Number(key.literal) : key.literal);
  },
  TYPEOF: typeOf,
  IS_NULL_VALUE: (args, name) => {
    count(args, name, 1);
    return { sql: `(${args[0]?.sql ?? ''} = 'null')`, type: boolean };
  },
  STRIP_NULL_VALUE: (args, name) => {
    count(args, name, 1);
    return { sql: `nullif(${args[0]?.sql ?? ''}, 'null')`, type: variant };
  },
};
