import { MillraceError } from '../base/errors.ts';
import { readConfig } from '../config/config-def.ts';
import type { ConfigDef, ConfigProblem, ParsedConfig } from '../config/config-def.ts';
import type { Predicate, Transformation } from '../connect/record.ts';

type Properties = Readonly<Record<string, string>>;

/** A class that `transforms.<alias>.type` or `predicates.<alias>.type` can name. */
export interface RecordPlugin<Made> {
  readonly className: string;
  readonly kind: 'transformation' | 'predicate';
  /** Its properties, without the prefix of an alias. */
  readonly definition: ConfigDef;
  /** Every fault of these properties; their names begin with `prefix`. */
  check(properties: Properties, prefix: string): readonly ConfigProblem[];
  /** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming the property with the prefix */
  create(properties: Properties, prefix: string): Made;
}

export type TransformationPlugin = RecordPlugin<Transformation>;
export type PredicatePlugin = RecordPlugin<Predicate>;

/** Which of a record's two a transformation works on. */
export type Side = 'Key' | 'Value';

export function transformation<const D extends ConfigDef>(
  className: string,
  definition: D,
  make: (config: ParsedConfig<D>) => Transformation,
): TransformationPlugin {
  return plugin('transformation', className, definition, make);
}

/** The two classes of a transformation that works on keys or values: `<class>$Key`, `<class>$Value`. */
export function sidedTransformation<const D extends ConfigDef>(
  className: string,
  definition: D,
  make: (config: ParsedConfig<D>, side: Side) => Transformation,
): readonly TransformationPlugin[] {
  return (['Key', 'Value'] as const).map((side) => transformation(`${className}$${side}`, definition, (config) => make(config, side)));
}

export function predicate<const D extends ConfigDef>(
  className: string,
  definition: D,
  make: (config: ParsedConfig<D>) => Predicate,
): PredicatePlugin {
  return plugin('predicate', className, definition, make);
}

function plugin<D extends ConfigDef, Made>(
  kind: RecordPlugin<Made>['kind'],
  className: string,
  definition: D,
  make: (config: ParsedConfig<D>) => Made,
): RecordPlugin<Made> {
  const read = (properties: Properties, prefix: string): { readonly made?: Made; readonly problems: readonly ConfigProblem[] } => {
    const { values, problems } = readConfig({ definition, others: {}, families: [] }, properties);
    if (problems.length > 0) return { problems: problems.map((problem) => prefixed(problem, prefix)) };
    try {
      // Without problems every required key and every default has been parsed.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      return { made: make(values as ParsedConfig<D>), problems: [] };
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      const property = error.context['property'];
      const name = typeof property === 'string' ? prefix + property : prefix.slice(0, -1);
      return { problems: [{ property: name, text: `${name}: ${error.message}`, unsupported: error.code === 'CONFIG_UNSUPPORTED' }] };
    }
  };
  return {
    className,
    kind,
    definition,
    check: (properties, prefix) => read(properties, prefix).problems,
    create(properties, prefix) {
      const { made, problems } = read(properties, prefix);
      if (made !== undefined) return made;
      const code = problems.every((problem) => problem.unsupported) ? 'CONFIG_UNSUPPORTED' : 'CONFIG_INVALID';
      throw new MillraceError(code, problems.map((problem) => problem.text).join(' '), {
        context: { properties: problems.map((problem) => problem.property) },
      });
    },
  };
}

function prefixed(problem: ConfigProblem, prefix: string): ConfigProblem {
  const text = problem.text.startsWith(problem.property) ? prefix + problem.text : `${prefix}${problem.property}: ${problem.text}`;
  return { ...problem, property: prefix + problem.property, text };
}

/** A property has a value that only its transformation can judge. */
export function invalidProperty(property: string, what: string, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG_INVALID', what, { context: { property }, ...(cause === undefined ? {} : { cause }) });
}

/** The property that most of Kafka's transformations have since 3.9. */
export const replaceNull = {
  'replace.null.with.default': {
    type: 'boolean',
    default: 'true',
    importance: 'medium',
    doc: "Whether a null is read as its field's default, where there is one.",
  },
} as const;
