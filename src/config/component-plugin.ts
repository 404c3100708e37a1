import type { ConfigKey } from './config-key.ts';

/** What connectors name in their configurations: converters, transformations, predicates. */
export interface ComponentPlugin {
  readonly className: string;
  readonly type: 'transformation' | 'predicate' | 'converter' | 'header_converter';
  readonly version: string;
  /** Without a prefix. */
  readonly keys: readonly ConfigKey[];
}

/** By the full name, the short one, or the short one without what it is. */
export function isComponentNamed({ className }: ComponentPlugin, name: string): boolean {
  if (className === name) return true;
  const short = className.slice(className.lastIndexOf('.') + 1);
  return short === name || short.replace(/Converter$/, '') === name;
}

export function componentNamed(
  plugins: readonly ComponentPlugin[],
  name: string,
  types: readonly ComponentPlugin['type'][],
): ComponentPlugin | undefined {
  return plugins.find((plugin) => types.includes(plugin.type) && isComponentNamed(plugin, name));
}
