export { checkCluster } from "./check-cluster.js";
export {
  CLUSTER_KINDS,
  type ClusterAddress,
  type ClusterClient,
  ClusterError,
  type ClusterKind,
  connectCluster,
  PATIENCE,
  type Patience,
} from "./cluster-client.js";
export {
  type ClusterFindings,
  type ClusterHunt,
  type HostPart,
  huntPart,
  joinClusterHunt,
  type PartFindings,
  planClusterHunt,
} from "./cluster-hunt.js";
export { type ClusterLogs, fieldMapOf } from "./cluster-index.js";
export { ClusterSearch, type DocumentSearch } from "./cluster-search.js";
export { type FieldMap, PRESETS, type PresetName } from "./field-map.js";
export { testCluster } from "./test-cluster.js";
