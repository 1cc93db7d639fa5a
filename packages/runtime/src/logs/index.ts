export type { BulkItem, BulkResult } from "./bulk.js";
export { type ImportOptions, type ImportOutcome, importFile } from "./import-logs.js";
export { type InsightOrder, InsightRegistry, isoMicros, runInsight, timeFilter } from "./insights.js";
export { LogEngine, type LogEngineOptions, LogRefusal } from "./log-engine.js";
export { type IndexInfo, LogStore, type StoreStatus, type TimeWindow } from "./log-store.js";
export type { SearchOrder } from "./log-worker.js";
