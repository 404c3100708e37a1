import type { Column } from './table-schema.ts';

/*
 * Columns of tables that nothing describes: topics without schemas and without the source's definitions. Their types are
 * guessed from the values that have come, and may become others; nothing that depends on them is ever certain.
 */

/** `nativeType` of a guessed column. */
export const guessedType = 'GUESSED';
/** Of one that only had nulls so far. */
export const guessedNullType = 'GUESSED NULL';

export function isGuessed({ nativeType }: Pick<Column, 'nativeType'>): boolean {
  return nativeType === guessedType || nativeType === guessedNullType;
}
