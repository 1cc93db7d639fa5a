export { Enricher, queryLength, registeredDomain } from "./enrich.js";
export { type LogDocument, LogDocuments, type NoDocument, type ObjectLimits, type ObjectSink, readObjects } from "./log-documents.js";
export { definitionOfKind, fieldName, indexOfLog, LOG_INDEXES, type LogIndex, logIndexNamed } from "./log-index.js";
export { LogTimeWriter } from "./log-time.js";
export { type SegmentData, timeRange } from "./segment-data.js";
export { type ColumnsOfHead, columnsOfHead, withColumns } from "./tsv-columns.js";
export { ZeekRows } from "./zeek-rows.js";
