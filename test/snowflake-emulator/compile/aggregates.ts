import { unknownForm } from '../snowflake-error.ts';
import { boolean, float, integer, text } from '../sql/sf-type.ts';
import { type Argument, nothing } from './function.ts';
import { asText, comparable, invalidArguments, quotient } from './operators.ts';
import type { Typed } from './typed.ts';
import { toVariant } from './cast.ts';

export interface AggregateOptions {
  readonly star: boolean;
  readonly distinct: boolean;
  /** SQL of `ORDER BY …` of WITHIN GROUP, or nothing. */
  readonly orderBy: string;
}

type Build = (args: readonly Argument[], name: string, options: AggregateOptions) => Typed;

const counter = { kind: 'number', precision: 18, scale: 0 } as const;

/** The one with the largest or smallest key; of a TIMESTAMP_TZ its instant decides. */
function extreme(duck: string): Build {
  return ([value = nothing]) => {
    if (value.type.kind === 'timestamp_tz') {
      return { sql: `${duck === 'max' ? 'arg_max' : 'arg_min'}(${value.sql}, ${comparable(value)})`, type: value.type };
    }
    return { sql: `${duck}(${value.sql})`, type: value.type };
  };
}

function integers(duck: string): Build {
  return ([value = nothing], name) => {
    if (value.type.kind !== 'number') throw invalidArguments(name, value);
    // BITXOR_AGG and its like round fractions: refused, it would be a mistake.
    if (value.type.scale > 0) throw unknownForm(`${name} of fractions`);
    return { sql: `CAST(${duck}(CAST(${value.sql} AS HUGEINT)) AS DECIMAL(38,0))`, type: integer };
  };
}

export const aggregates: Readonly<Record<string, Build>> = {
  COUNT: (args, name, { star, distinct }) => {
    if (star) return { sql: 'count(*)', type: counter };
    if (args.length !== 1) throw unknownForm(`${name} of several columns`);
    return { sql: `count(${distinct ? 'DISTINCT ' : ''}${comparable(args[0] ?? nothing)})`, type: counter };
  },
  COUNT_IF: ([value = nothing]) => ({ sql: `count(CASE WHEN ${value.sql} THEN 1 END)`, type: counter }),
  SUM: ([value = nothing], name, { distinct }) => {
    const all = distinct ? 'DISTINCT ' : '';
    if (value.type.kind === 'float') return { sql: `sum(${all}${value.sql})`, type: float };
    if (value.type.kind !== 'number') throw invalidArguments(name, value);
    const { scale } = value.type;
    return { sql: `sum(${all}CAST(${value.sql} AS DECIMAL(38,${scale})))`, type: { kind: 'number', precision: 38, scale } };
  },
  AVG: ([value = nothing], name) => {
    if (value.type.kind === 'float') return { sql: `avg(${value.sql})`, type: float };
    if (value.type.kind !== 'number') throw invalidArguments(name, value);
    const { scale } = value.type;
    const sum = { sql: `sum(CAST(${value.sql} AS DECIMAL(38,${scale})))`, type: { kind: 'number', precision: 38, scale } } as const;
    return quotient(sum, { sql: `nullif(count(${value.sql}), 0)`, type: counter });
  },
  MIN: extreme('min'),
  MAX: extreme('max'),
  ANY_VALUE: ([value = nothing]) => ({ sql: `any_value(${value.sql})`, type: value.type }),
  BITXOR_AGG: integers('bit_xor'),
  BITAND_AGG: integers('bit_and'),
  BITOR_AGG: integers('bit_or'),
  BOOLOR_AGG: ([value = nothing]) => ({ sql: `bool_or(${value.sql})`, type: boolean }),
  BOOLAND_AGG: ([value = nothing]) => ({ sql: `bool_and(${value.sql})`, type: boolean }),
  LISTAGG: (args, name, { orderBy, distinct }) => {
    const [value = nothing, separator] = args;
    const between = separator === undefined ? "''" : asText(separator, name);
    return { sql: `coalesce(string_agg(${distinct ? 'DISTINCT ' : ''}${asText(value, name)}, ${between} ${orderBy}), '')`, type: text };
  },
  ARRAY_AGG: ([value = nothing], _, { orderBy, distinct }) => {
    const json = toVariant(value.sql, value.type);
    const list = `list(${distinct ? 'DISTINCT ' : ''}${json} ${orderBy}) FILTER (WHERE ${json} IS NOT NULL)`;
    return { sql: `('[' || coalesce(array_to_string(${list}, ','), '') || ']')`, type: { kind: 'array' } };
  },
};

/** Functions that stand before OVER alone; the aggregates may, too. */
export const windowFunctions: Readonly<Record<string, (args: readonly Argument[]) => Typed>> = {
  ROW_NUMBER: () => ({ sql: 'row_number()', type: counter }),
  RANK: () => ({ sql: 'rank()', type: counter }),
  DENSE_RANK: () => ({ sql: 'dense_rank()', type: counter }),
  LAG: ([value = nothing, offset]) => ({ sql: `lag(${value.sql}, ${offset?.sql ?? '1'})`, type: value.type }),
  LEAD: ([value = nothing, offset]) => ({ sql: `lead(${value.sql}, ${offset?.sql ?? '1'})`, type: value.type }),
  FIRST_VALUE: ([value = nothing]) => ({ sql: `first_value(${value.sql})`, type: value.type }),
};
