// DuckDB: reads the five columns of the key and the time, groups, keeps the groups of 11 and more with their sorted times.
// It stops there, where Heliograph goes on to search. Prints {groups, rows} of the groups kept.
//   node duckdb.mjs THREADS FILE tsv|json
import { DuckDBInstance } from "@duckdb/node-api";

const [threads = "2", file = "conn.log", kind = "tsv"] = process.argv.slice(2);
const instance = await DuckDBInstance.create(":memory:", { threads });
const connection = await instance.connect();
const names = "ts uid oh op rh rp proto service duration ob rb cs lo lr mb hist opk oib rpk rib tp".split(" ");
const types = {
  ts: "DOUBLE",
  op: "USMALLINT",
  rp: "USMALLINT",
  duration: "DOUBLE",
  ob: "BIGINT",
  rb: "BIGINT",
  mb: "BIGINT",
  opk: "BIGINT",
  oib: "BIGINT",
  rpk: "BIGINT",
  rib: "BIGINT",
};
const quoted = `'${file.replaceAll("'", "''")}'`;
const columns = `{${names.map((name) => `'${name}':'${types[name] ?? "VARCHAR"}'`).join(",")}}`;
const source =
  kind === "json"
    ? `(select ts, "id.orig_h" oh, "id.resp_h" rh, "id.resp_p" rp, proto from read_json(${quoted}, format='newline_delimited', columns={ts:'DOUBLE',"id.orig_h":'VARCHAR',"id.resp_h":'VARCHAR',"id.resp_p":'USMALLINT',proto:'VARCHAR'}))`
    : `read_csv(${quoted}, delim='\t', header=false, comment='#', quote='', escape='', nullstr='-', auto_detect=false, columns=${columns})`;
const result = await connection.runAndReadAll(
  `select count(*), sum(n), sum(len(times)) from (select oh, rh, rp, proto, count(*) n, list(ts order by ts) times from ${source} group by all having count(*) >= 11)`,
);
const [groups, rows] = (result.getRows()[0] ?? []).map(Number);
console.log(JSON.stringify({ largeGroups: groups, rowsOfLargeGroups: rows }));
