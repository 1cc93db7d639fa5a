/** The fields of a connection record that hunts need, by Zeek's names. */
export const CONN_FIELDS = [
  "ts",
  "id.orig_h",
  "id.orig_p",
  "id.resp_h",
  "id.resp_p",
  "proto",
  "service",
  "orig_bytes",
  "resp_bytes",
  "orig_ip_bytes",
  "conn_state",
] as const;

export type ConnField = (typeof CONN_FIELDS)[number];

/** Where an index keeps Zeek's fields, and which of its documents are records of which log. */
export interface FieldMap {
  /** Zeek's name to the path in the index; a name that is not here keeps its own. */
  readonly fields: Readonly<Record<string, string>>;
  /** Queries that pick the records of a log, by our index names; none: all documents. */
  readonly records: Readonly<Record<string, object>>;
  /** What a number in the time field counts. */
  readonly numericTime: "seconds" | "milliseconds";
}

const dataset = (...names: string[]): object => ({ terms: { "event.dataset": names } });

const ECS_FIELDS: Readonly<Record<string, string>> = {
  ts: "@timestamp",
  "id.orig_h": "source.ip",
  "id.orig_p": "source.port",
  "id.resp_h": "destination.ip",
  "id.resp_p": "destination.port",
  proto: "network.transport",
  service: "network.protocol",
  orig_bytes: "source.bytes",
  resp_bytes: "destination.bytes",
  orig_ip_bytes: "source.bytes",
  orig_pkts: "source.packets",
  resp_pkts: "destination.packets",
  conn_state: "zeek.connection.state",
  history: "zeek.connection.history",
  uid: "zeek.session_id",
  community_id: "network.community_id",
  query: "dns.question.name",
  qtype_name: "dns.question.type",
  rcode_name: "dns.response_code",
  registered_domain: "dns.question.registered_domain",
  server_name: "tls.client.server_name",
  ja3: "tls.client.ja3",
  ja3s: "tls.server.ja3s",
  subject: "tls.server.subject",
  issuer: "tls.server.issuer",
  version: "tls.version",
  cipher: "tls.cipher",
};

/**
 * Field maps of those who write Zeek's logs into clusters.
 * @see https://www.elastic.co/docs/reference/beats/filebeat/exported-fields-zeek
 * @see https://github.com/cisagov/Malcolm
 * @see https://docs.securityonion.net
 */
export const PRESETS = {
  /** Zeek's own names, as Zeek's JSON has them. */
  zeek: { fields: {}, records: {}, numericTime: "seconds" },
  /** Elastic Common Schema, as Filebeat's Zeek module writes it. */
  ecs: {
    fields: ECS_FIELDS,
    records: {
      conn_logs: dataset("zeek.connection", "zeek.conn"),
      dns_logs: dataset("zeek.dns"),
      ssl_logs: dataset("zeek.ssl"),
      http_logs: dataset("zeek.http"),
    },
    numericTime: "milliseconds",
  },
  malcolm: {
    fields: {
      ...ECS_FIELDS,
      ts: "firstPacket",
      orig_bytes: "client.bytes",
      resp_bytes: "server.bytes",
      orig_ip_bytes: "source.bytes",
      conn_state: "zeek.conn.conn_state",
      history: "zeek.conn.history",
      uid: "zeek.uid",
      query: "zeek.dns.query",
      qtype_name: "zeek.dns.qtype_name",
      rcode_name: "zeek.dns.rcode_name",
    },
    records: { conn_logs: dataset("conn"), dns_logs: dataset("dns"), ssl_logs: dataset("ssl"), http_logs: dataset("http") },
    numericTime: "milliseconds",
  },
  "security-onion": {
    fields: {
      ...ECS_FIELDS,
      orig_bytes: "client.bytes",
      resp_bytes: "server.bytes",
      orig_ip_bytes: "client.ip_bytes",
      conn_state: "connection.state",
      history: "connection.history",
      uid: "log.id.uid",
      query: "dns.query.name",
      qtype_name: "dns.query.type_name",
      rcode_name: "dns.response.code_name",
      server_name: "ssl.server_name",
      ja3: "hash.ja3",
      ja3s: "hash.ja3s",
    },
    records: {
      conn_logs: dataset("conn", "zeek.conn"),
      dns_logs: dataset("dns", "zeek.dns"),
      ssl_logs: dataset("ssl", "zeek.ssl"),
      http_logs: dataset("http", "zeek.http"),
    },
    numericTime: "milliseconds",
  },
} as const satisfies Record<string, FieldMap>;

export type PresetName = keyof typeof PRESETS;

/** The value at a dotted path, whether its parts are nested or one key. */
export function valueAt(document: unknown, path: string): unknown {
  if (typeof document !== "object" || document === null) return undefined;
  const own = document as Record<string, unknown>;
  if (Object.hasOwn(own, path)) return own[path];
  for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1)) {
    const head = path.slice(0, dot);
    if (!Object.hasOwn(own, head)) continue;
    const found = valueAt(own[head], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}
