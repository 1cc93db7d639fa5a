import { column, ID_COLUMNS, type LogSchema } from "../schema.js";

/**
 * Zeek's DNS log: a query and its answers a row.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html
 */
export const dnsSchema: LogSchema = {
  path: "dns",
  required: ["ts", "id.orig_h", "id.resp_h"],
  columns: [
    ...ID_COLUMNS,
    column("proto", "code"),
    column("trans_id", "count"),
    column("rtt", "number"),
    column("query", "code"),
    column("qclass", "count"),
    column("qclass_name", "code"),
    column("qtype", "count"),
    column("qtype_name", "code"),
    column("rcode", "count"),
    column("rcode_name", "code"),
    column("AA", "flag"),
    column("TC", "flag"),
    column("RD", "flag"),
    column("RA", "flag"),
    column("Z", "count"),
    column("answers", "list"),
    column("TTLs", "list"),
    column("rejected", "flag"),
    column("opcode", "count"),
    column("opcode_name", "code"),
  ],
};
