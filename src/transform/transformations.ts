import { byLogicalTableRouter } from './by-logical-table-router.ts';
import { cast } from './cast.ts';
import { contentBasedRouters, expressionFilters } from './expression-transforms.ts';
import { extractNewRecordState } from './extract-new-record-state.ts';
import { extractField, headerFrom, hoistField, replaceField, valueToKey } from './field-transforms.ts';
import { flatten } from './flatten.ts';
import { insertField } from './insert-field.ts';
import { maskField } from './mask-field.ts';
import type { TransformationPlugin } from './plugin.ts';
import { timestampConverter } from './timestamp-converter.ts';
import { dropHeaders, filter, insertHeader, regexRouter, setSchemaMetadata, timestampRouter } from './whole-record-transforms.ts';

/** The classes that `transforms.<alias>.type` can name. */
export const transformations: readonly TransformationPlugin[] = [
  ...byLogicalTableRouter,
  ...contentBasedRouters,
  extractNewRecordState,
  ...expressionFilters,
  ...cast,
  dropHeaders,
  ...extractField,
  filter,
  ...flatten,
  ...headerFrom,
  ...hoistField,
  ...insertField,
  insertHeader,
  ...maskField,
  regexRouter,
  ...replaceField,
  ...setSchemaMetadata,
  ...timestampConverter,
  timestampRouter,
  valueToKey,
];
