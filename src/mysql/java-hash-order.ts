/**
 * The order in which Java's HashSet gives these texts, added in the order given: without locks Debezium tells the tables of a
 * snapshot so.
 */
export function inJavaHashOrder<Item>(items: readonly Item[], textOf: (item: Item) => string): readonly Item[] {
  let buckets = 16;
  while (items.length > buckets * 0.75) buckets *= 2;
  const place = (item: Item): number => {
    const hash = javaHash(textOf(item));
    return (hash ^ (hash >>> 16)) & (buckets - 1);
  };
  return items.toSorted((a, b) => place(a) - place(b));
}

/** `String.hashCode`. */
function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
