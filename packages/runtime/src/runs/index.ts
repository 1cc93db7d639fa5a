export type { RunState } from "../store/database.js";
export { type FilteredHost, HostStore } from "../store/host-store.js";
export { type ApiKey, KeyStore } from "../store/key-store.js";
export { defaultDataDir, openStore, type Store } from "../store/open-store.js";
export { type ListedBeacon, type Run, type RunResult, type RunSource, RunStore, type StoredBeacon } from "../store/run-store.js";
export { type DataSource, SourceStore } from "../store/source-store.js";
export { PathError, Roots } from "./roots.js";
export { type RunEnd, type RunEvent, type RunLimits, RunManager, TooManyRuns } from "./run-manager.js";
export { KEPT_TALKERS, type RunOrder, resultOf } from "./run-task.js";
