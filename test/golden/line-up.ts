/** How two lists belong together, by indexes. */
export interface LinedUp {
  readonly pairs: readonly (readonly [expected: number, got: number])[];
  readonly missing: readonly number[];
  readonly extra: readonly number[];
}

/**
 * Pairs the items of the longest common subsequence; of what lies between two such pairs the first of one side belongs to
 * the first of the other, and so on: so a missing or extra item is told as that, and a changed one as changed.
 */
export function lineUp(expected: readonly string[], got: readonly string[]): LinedUp {
  const common = commonLengths(expected, got);
  const pairs: (readonly [number, number])[] = [];
  const missing: number[] = [];
  const extra: number[] = [];
  let [onlyExpected, onlyGot]: [number[], number[]] = [[], []];
  const closeGap = (): void => {
    const paired = Math.min(onlyExpected.length, onlyGot.length);
    onlyExpected.forEach((index, place) => {
      const other = onlyGot[place];
      if (other === undefined) missing.push(index);
      else pairs.push([index, other]);
    });
    extra.push(...onlyGot.slice(paired));
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
