import { column, ID_COLUMNS, type LogSchema } from "../schema.js";

/**
 * Zeek's connection log.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html
 */
export const connSchema: LogSchema = {
  path: "conn",
  required: ["ts", "id.orig_h", "id.resp_h", "id.resp_p"],
  columns: [
    ...ID_COLUMNS,
    column("proto", "code"),
    column("service", "code"),
    column("duration", "number"),
    column("orig_bytes", "count"),
    column("resp_bytes", "count"),
    column("conn_state", "code"),
    column("local_orig", "flag"),
    column("local_resp", "flag"),
    column("missed_bytes", "count"),
    column("history", "code"),
    column("orig_pkts", "count"),
    column("orig_ip_bytes", "count"),
    column("resp_pkts", "count"),
    column("resp_ip_bytes", "count"),
    column("tunnel_parents", "list"),
    column("ip_proto", "count"),
    column("vlan", "count"),
    column("inner_vlan", "count"),
    column("orig_l2_addr", "code"),
    column("resp_l2_addr", "code"),
    column("community_id", "text"),
  ],
};
