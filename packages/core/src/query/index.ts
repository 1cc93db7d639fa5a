export { Analysis } from "./analysis/analyzer.js";
export { DEFAULT_LIMITS, type QueryLimits } from "./clauses/clause.js";
export { Bitmap } from "./columns/bitmap.js";
export {
  type Column,
  GrowingTexts,
  hasValue,
  type IpColumn,
  type NumberColumn,
  PackedTexts,
  type TextDictionary,
  type TextValuesColumn,
} from "./columns/column.js";
export { IpBuilder, NumberBuilder, TextBuilder } from "./columns/column-builder.js";
export type { Segment } from "./columns/segment.js";
export { type ExactValue, parseExact, parseJson } from "./json/json-tree.js";
export { RawJson, writeJson, writePlain } from "./json/write-json.js";
export { DateFormat } from "./mapping/date-format.js";
export { DocumentMapper } from "./mapping/document-mapper.js";
export type { Field, FieldFamily } from "./mapping/field.js";
export { Mapping, matchesSimple } from "./mapping/mapping.js";
export {
  type IndexedDocument,
  type MemoryIndexOptions,
  MemorySegment,
  memoryIndex,
  type SearchableIndex,
  SegmentBuilder,
} from "./memory-index.js";
export { type ErrorBody, QueryError } from "./query-error.js";
export {
  type PartialSearch,
  PreparedSearch,
  plain,
  readBody,
  type SearchOptions,
  type SearchResponse,
  search,
  searchIndexes,
} from "./search.js";
export { filterSource, type SourceFilter } from "./source-filter.js";
