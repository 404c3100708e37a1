/** How two lists belong together, by indexes. */
export interface LinedUp {
  readonly pairs: readonly (readonly [expected: number, got: number])[];
  readonly missing: readonly number[];
  readonly extra: readonly number[];
}

/** An item as a whole, and what it is about: a changed one is about the same. */
export interface Item {
  readonly whole: string;
  readonly about: string;
}

/**
 * Pairs the items of the longest common subsequence; of what lies between two such pairs those that are about the same, and of
 * the rest the first of one side with the first of the other, and so on: so a missing or extra item is told as that, and a
 * changed one as changed.
 */
export function lineUp(expected: readonly Item[], got: readonly Item[]): LinedUp {
  const wholes = (items: readonly Item[]): readonly string[] => items.map(({ whole }) => whole);
  const abouts = (items: readonly Item[], indexes: readonly number[]): readonly string[] =>
    indexes.map((index) => items[index]?.about ?? '');
  return lineUpWith(wholes(expected), wholes(got), (these, those) => {
    const inner = lineUpWith(abouts(expected, these), abouts(got, those), byOrder);
    const at = (indexes: readonly number[], place: number): number => indexes[place] ?? -1;
    return {
      pairs: inner.pairs.map(([i, j]) => [at(these, i), at(those, j)]),
      missing: inner.missing.map((i) => at(these, i)),
      extra: inner.extra.map((j) => at(those, j)),
    };
  });
}

/** What becomes of the items between two pairs, by their indexes. */
type PairGap = (expected: readonly number[], got: readonly number[]) => LinedUp;

function byOrder(expected: readonly number[], got: readonly number[]): LinedUp {
  const count = Math.min(expected.length, got.length);
  const pairs = expected.slice(0, count).map((index, place): readonly [number, number] => [index, got[place] ?? -1]);
  return { pairs, missing: expected.slice(count), extra: got.slice(count) };
}

function lineUpWith(expected: readonly string[], got: readonly string[], pairGap: PairGap): LinedUp {
  const common = commonLengths(expected, got);
  const pairs: (readonly [number, number])[] = [];
  const missing: number[] = [];
  const extra: number[] = [];
  let [onlyExpected, onlyGot]: [number[], number[]] = [[], []];
  const closeGap = (): void => {
    const gap = pairGap(onlyExpected, onlyGot);
    pairs.push(...gap.pairs);
    missing.push(...gap.missing);
    extra.push(...gap.extra);
    [onlyExpected, onlyGot] = [[], []];
  };
  let [i, j] = [0, 0];
  while (i < expected.length || j < got.length) {
    if (i < expected.length && j < got.length && expected[i] === got[j]) {
      closeGap();
      pairs.push([i++, j++]);
    } else if (j >= got.length || (i < expected.length && lengthAt(common, i + 1, j) >= lengthAt(common, i, j + 1))) {
      onlyExpected.push(i++);
    } else {
      onlyGot.push(j++);
    }
  }
  closeGap();
  return { pairs, missing, extra };
}

function lengthAt(table: readonly Uint32Array[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

/** At [i][j]: the length of the longest common subsequence of what is left from i and j on. */
function commonLengths(expected: readonly string[], got: readonly string[]): readonly Uint32Array[] {
  const table = Array.from({ length: expected.length + 1 }, () => new Uint32Array(got.length + 1));
  for (let i = expected.length - 1; i >= 0; i--) {
    const row = table[i];
    if (row === undefined) continue;
    for (let j = got.length - 1; j >= 0; j--) {
      row[j] = expected[i] === got[j] ? lengthAt(table, i + 1, j + 1) + 1 : Math.max(lengthAt(table, i + 1, j), row[j + 1] ?? 0);
    }
  }
  return table;
}
