export { type ByteChunks, type RandomAccess, randomAccess } from "./archive/bytes.js";
export { gunzip } from "./archive/gzip.js";
export { type ArchiveLimits, defaultArchiveLimits, ExpansionGuard } from "./archive/limits.js";
export { type Gunzip, type LogInput, type LogPart, type OpenOptions, openLog } from "./archive/open.js";
export { type Compression, SNIFF_BYTES, sniffCompression } from "./archive/sniff.js";
export type { Detector, Evidence, Explain, ExplainedStep, Verdict } from "./beacon/detector.js";
export {
  type Agnes,
  beaconFamilies,
  type Families,
  type FamilyMembership,
  type FamilyTraits,
  MOST_CLUSTERED,
} from "./beacon/families.js";
export type { FlowProfile } from "./beacon/flow-profile.js";
export type { IntervalMode } from "./beacon/interval-modes.js";
export {
  checkParameters,
  type IntegersSpec,
  type NumberSpec,
  type ParameterSpec,
  type ParameterValue,
  type ParameterValues,
  parseParameter,
  type Span,
  type SpansSpec,
  type ValuesOf,
} from "./beacon/parameters.js";
export { asksCarried, asksNames, detectorNamed, detectors } from "./beacon/registry.js";
export {
  type Beacon,
  type BucketFindings,
  compareBeacons,
  type ExplainedFlow,
  type ExplainedFlows,
  type Findings,
  type FlowSummary,
  type FoundBeacon,
  type JoinOptions,
  joinFindings,
  judgeFound,
  type Knowledge,
  planSearch,
  type Search,
  type SearchOptions,
  searchFlows,
  settleBeacons,
} from "./beacon/search-flows.js";
export { badParameter, CoreError, type CoreErrorCode } from "./errors.js";
export { type Choice, type ConnectionFilter, checkFilter, DIRECTIONS, type Direction } from "./filter/connection-filter.js";
export { FILTER_RULES, type FilterPlan, type FilterRule, planFilter, type RemovedRows, removedRows } from "./filter/filter-plan.js";
export { type HostEntry, hostEntry, isAddress } from "./filter/host-entry.js";
export { DEFAULT_INTERNAL_NETWORKS, NetworkSet } from "./filter/networks.js";
export { matchesWildcard } from "./filter/wildcard.js";
export { CARRIED_COLUMNS, type Carried, CONN_STATES } from "./flows/carried.js";
export { type ConnectionRow, connectionBatch } from "./flows/connection-rows.js";
export type { Flow } from "./flows/flow.js";
export { FLOW_COLUMNS, FlowBuilder, type FlowBuilderOptions, flowColumns } from "./flows/flow-builder.js";
export { type Allocate, type FlowShard, type JoinedFlows, joinShards } from "./flows/flow-shard.js";
export {
  type FlowKey,
  PAYLOAD_COLUMNS,
  PayloadCollector,
  type PayloadProfile,
  type PayloadRows,
  payloadProfiles,
  type SizeProfile,
} from "./flows/payload.js";
export type { HostFacts } from "./flows/prevalence.js";
export { RowFilter, type TimeBounds } from "./flows/row-filter.js";
export { type Talker, TalkerCount } from "./flows/top-talkers.js";
export { type FlowVisitor, type VisitOptions, type VisitTotals, visitFlows } from "./flows/visit-flows.js";
export { type HuntOptions, type HuntResult, hunt } from "./hunt.js";
export { type CollectedNames, type CollectNamesOptions, collectNames } from "./names/collect-names.js";
export { hostName, NAME_LOGS, NameCollector } from "./names/name-collector.js";
export { type NameIndex, NameLookup } from "./names/name-index.js";
export { type Clusters1d, dbscan1d } from "./stats/dbscan-1d.js";
export { type Histogram, histogram } from "./stats/histogram.js";
export { type NodeVisitor, singleLinkage1d } from "./stats/single-linkage-1d.js";
export { parseBounds } from "./time/bound.js";
export { type DateInputOptions, parseDateInput } from "./time/date-input.js";
export { type DateMathOptions, parseDateMath } from "./time/date-math.js";
export { addressText } from "./zeek/address.js";
export { batchToArrow, type ReadTableOptions, readRecordBatches, readTable } from "./zeek/arrow.js";
export type { BatchSink } from "./zeek/batch-writer.js";
export type { ColumnBatch, ColumnValues } from "./zeek/column-batch.js";
export { type Dictionary, packTexts, type TextColumn, unpackTexts } from "./zeek/dictionary.js";
export { createEngine, type EngineOptions } from "./zeek/engine.js";
export { isConnLogName, isImportName, NAME_LOG_TYPES, type NameLogType, nameLogType } from "./zeek/log-names.js";
export type { HashSeed, LendingReader, LogReader, ReadEngine, ReadOptions } from "./zeek/log-reader.js";
export { type ReadLogOptions, readLog, readLogSteps } from "./zeek/read-log.js";
export { appendReport, emptyReport, type ReadReport, type RowProblem } from "./zeek/read-report.js";
export type { ColumnKind, LogColumn, LogSchema } from "./zeek/schema.js";
export { connSchema } from "./zeek/schemas/conn.js";
export { dnsSchema } from "./zeek/schemas/dns.js";
export { httpSchema } from "./zeek/schemas/http.js";
export { sslSchema } from "./zeek/schemas/ssl.js";
export { formatTime, parseTime } from "./zeek/time.js";
