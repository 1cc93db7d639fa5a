export { CONFIG_FILE, type Config, type EffectiveConfig, effectiveConfig, loadConfig } from "./config/config.js";
export { configSchema } from "./config/config-schema.js";
export { type FoundLogs, findLogs, type InputProblem, type LogFile, STANDARD_INPUT } from "./files/find-logs.js";
export { nodeGunzip } from "./files/node-gunzip.js";
export { type FileReport, type HuntLogsOptions, type HuntLogsResult, huntLogs, MAX_THREADS, type Progress } from "./hunt/hunt-logs.js";
export type { LogFigures } from "./hunt/hunt-share.js";
