import type { LogSchema } from "../zeek/schema.js";
import { connSchema } from "../zeek/schemas/conn.js";
import { dnsSchema } from "../zeek/schemas/dns.js";
import { httpSchema } from "../zeek/schemas/http.js";
import { sslSchema } from "../zeek/schemas/ssl.js";

/** An index of logs: its name, what its fields are, and the Zeek log that fills it, if one does. */
export interface LogIndex {
  readonly name: string;
  /** An Elasticsearch mapping. */
  readonly mappings: Readonly<Record<string, unknown>>;
  readonly schema: LogSchema | undefined;
}

type Properties = Readonly<Record<string, unknown>>;

/** A time with microseconds, written as `2021-07-15 17:20:18.181152`. */
const TIME = { type: "date_nanos", format: "yyyy-MM-dd HH:mm:ss.SSSSSS||strict_date_optional_time||epoch_millis" };
const KEYWORD = { type: "keyword" };
const IP = { type: "ip" };
const LONG = { type: "long" };
const DOUBLE = { type: "double" };
const BOOLEAN = { type: "boolean" };
/** Long texts, which are searched by their words too. */
const WORDS = { type: "keyword", fields: { text: { type: "text" } } };

/** Zeek's names without the `id.` of the four-tuple; the names with it are understood in queries. */
const ALIASES = Object.fromEntries(["orig_h", "orig_p", "resp_h", "resp_p"].map((name) => [`id.${name}`, { type: "alias", path: name }]));

const mapping = (properties: Properties): Readonly<Record<string, unknown>> => ({
  date_detection: false,
  dynamic_templates: [
    { texts: { match_mapping_type: "string", mapping: KEYWORD } },
    { numbers: { match_mapping_type: "double", mapping: DOUBLE } },
  ],
  properties,
});

/** What each kind of a Zeek column is in an index. */
const OF_KIND = {
  time: TIME,
  address: IP,
  code: KEYWORD,
  port: LONG,
  number: DOUBLE,
  count: LONG,
  flag: BOOLEAN,
  text: KEYWORD,
  list: KEYWORD,
} as const;

/** The field of a Zeek column: `id.orig_h` is `orig_h`. */
export const fieldName = (column: string): string => (column.startsWith("id.") ? column.slice(3) : column);

const WORD_FIELDS = new Set(["subject", "issuer", "uri", "user_agent"]);

function zeekMapping(schema: LogSchema, added: Properties): Readonly<Record<string, unknown>> {
  const properties: Record<string, unknown> = {};
  for (const { name, kind } of schema.columns) properties[fieldName(name)] = WORD_FIELDS.has(name) ? WORDS : OF_KIND[kind];
  return mapping({ ...properties, count: LONG, orig_internal: BOOLEAN, resp_internal: BOOLEAN, ...added, ...ALIASES });
}

/** A column of one of Zeek's types as a field's definition. */
export const definitionOfKind = (kind: keyof typeof OF_KIND): Readonly<Record<string, unknown>> => OF_KIND[kind];

/** The six indexes of logs, with the fields that importing adds. */
export const LOG_INDEXES: readonly LogIndex[] = [
  { name: "conn_logs", schema: connSchema, mappings: zeekMapping(connSchema, {}) },
  {
    name: "dns_logs",
    schema: dnsSchema,
    mappings: zeekMapping(dnsSchema, { query_length: LONG, registered_domain: KEYWORD, TTLs: DOUBLE }),
  },
  {
    name: "ssl_logs",
    schema: sslSchema,
    mappings: zeekMapping(sslSchema, { cert_fp: KEYWORD, ja3: KEYWORD, ja3s: KEYWORD, ja4: KEYWORD, registered_domain: KEYWORD }),
  },
  { name: "http_logs", schema: httpSchema, mappings: zeekMapping(httpSchema, { registered_domain: KEYWORD }) },
  {
    name: "cloudtrail_logs",
    schema: undefined,
    mappings: mapping({
      ts: TIME,
      eventTime: { type: "date" },
      eventName: KEYWORD,
      eventSource: KEYWORD,
      eventType: KEYWORD,
      eventID: KEYWORD,
      eventVersion: KEYWORD,
      awsRegion: KEYWORD,
      // A service's name where no address is known.
      sourceIPAddress: KEYWORD,
      userAgent: KEYWORD,
      errorCode: KEYWORD,
      errorMessage: WORDS,
      readOnly: BOOLEAN,
      recipientAccountId: KEYWORD,
      requestID: KEYWORD,
      userIdentity: {
        properties: { type: KEYWORD, principalId: KEYWORD, arn: KEYWORD, accountId: KEYWORD, userName: KEYWORD, accessKeyId: KEYWORD },
      },
      responseElements: { properties: { ConsoleLogin: KEYWORD } },
      count: LONG,
    }),
  },
  {
    name: "object_logs",
    schema: undefined,
    mappings: mapping({
      ts: TIME,
      resp_h: IP,
      orig_h: IP,
      source_host: IP,
      resp_p: LONG,
      orig_p: LONG,
      filesize: LONG,
      http_uri: WORDS,
      http_host: KEYWORD,
      hash: KEYWORD,
      prediction: KEYWORD,
      filename: WORDS,
      cve: KEYWORD,
      source_location: KEYWORD,
      source_location_accuracy: LONG,
      overflow_bytes: LONG,
      total_bytes: LONG,
      category: KEYWORD,
      mime_type: KEYWORD,
      score: DOUBLE,
      bhid: KEYWORD,
      count: LONG,
      ...ALIASES,
    }),
  },
];

/** The index of a Zeek log type; undefined for a type that none keeps. */
export const indexOfLog = (path: string): LogIndex | undefined => LOG_INDEXES.find(({ schema }) => schema?.path === path);

export const logIndexNamed = (name: string): LogIndex | undefined => LOG_INDEXES.find((index) => index.name === name);
