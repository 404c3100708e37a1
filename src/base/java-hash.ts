/** The order in which a java.util.HashMap or HashSet gives its members, where the originals' answers and records show it. */

/** String.hashCode. */
function stringHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/** Of what JSON makes of text, whole numbers, booleans and null. */
function valueHash(value: unknown): number {
  if (typeof value === 'string') return stringHash(value);
  if (typeof value === 'boolean') return value ? 1231 : 1237;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return Number(BigInt.asIntN(32, BigInt(value) ^ (BigInt(value) >> 32n)));
  return 0;
}

/** Map.hashCode: the sum of its entries' hashes. */
function mapHash(map: Readonly<Record<string, unknown>>): number {
  return Object.entries(map).reduce((sum, [key, value]) => (sum + (stringHash(key) ^ valueHash(value))) | 0, 0);
}

/**
 * How large the table is. `fitted`: made for as many, the smallest that they fill by three quarters at most; `copied`: of a
 * copy of another map, which is chosen a little larger; `grown`: begun with 16 places, and filled one by one.
 */
type Table = 'fitted' | 'copied' | 'grown';

/** Items in the order of a HashMap with these keys. */
export function inJavaOrder<T>(
  items: readonly T[],
  keyOf: (item: T) => string | Readonly<Record<string, unknown>>,
  table: Table = 'fitted',
): readonly T[] {
  let size = table === 'grown' ? 16 : 1;
  while (table === 'copied' ? size < items.length / 0.75 + 1 : items.length > size * 0.75) size *= 2;
  const bucket = (item: T): number => {
    const key = keyOf(item);
    const hash = typeof key === 'string' ? stringHash(key) : mapHash(key);
    return (hash ^ (hash >>> 16)) & (size - 1);
  };
  return items
    .map((item) => ({ item, at: bucket(item) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
