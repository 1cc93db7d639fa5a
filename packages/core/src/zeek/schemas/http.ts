import { column, ID_COLUMNS, type LogSchema } from "../schema.js";

/**
 * Zeek's HTTP log: a request and its reply a row.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/http/main.zeek.html
 */
export const httpSchema: LogSchema = {
  path: "http",
  required: ["ts", "id.orig_h", "id.resp_h"],
  columns: [
    ...ID_COLUMNS,
    column("trans_depth", "count"),
    column("method", "code"),
    column("host", "code"),
    column("uri", "text"),
    column("referrer", "text"),
    column("version", "code"),
    column("user_agent", "code"),
    column("origin", "text"),
    column("request_body_len", "count"),
    column("response_body_len", "count"),
    column("status_code", "count"),
    column("status_msg", "code"),
    column("info_code", "count"),
    column("info_msg", "code"),
    column("tags", "list"),
    column("username", "code"),
    column("password", "text"),
    column("proxied", "list"),
    column("orig_fuids", "list"),
    column("orig_filenames", "list"),
    column("orig_mime_types", "list"),
    column("resp_fuids", "list"),
    column("resp_filenames", "list"),
    column("resp_mime_types", "list"),
  ],
};
