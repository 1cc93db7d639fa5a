import { column, ID_COLUMNS, type LogSchema } from "../schema.js";

/**
 * Zeek's TLS log: a handshake a row. Older logs have `cert_chain_fuids`, newer ones `cert_chain_fps`.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/ssl/main.zeek.html
 */
export const sslSchema: LogSchema = {
  path: "ssl",
  required: ["ts", "id.orig_h", "id.resp_h"],
  columns: [
    ...ID_COLUMNS,
    column("version", "code"),
    column("cipher", "code"),
    column("curve", "code"),
    column("server_name", "code"),
    column("resumed", "flag"),
    column("last_alert", "code"),
    column("next_protocol", "code"),
    column("established", "flag"),
    column("ssl_history", "code"),
    column("cert_chain_fps", "list"),
    column("client_cert_chain_fps", "list"),
    column("cert_chain_fuids", "list"),
    column("client_cert_chain_fuids", "list"),
    column("subject", "code"),
    column("issuer", "code"),
    column("client_subject", "code"),
    column("client_issuer", "code"),
    column("sni_matches_cert", "flag"),
    column("validation_status", "code"),
    column("ja3", "code"),
    column("ja3s", "code"),
    column("ja4", "code"),
    column("ja4s", "code"),
  ],
};
