// Writes a large connection log: TSV, the same as gzip, and its first rows as JSON lines, with a manifest of what a reader
// must find in them. Seeded: the same bytes every time.
//
//   node generate-conn-log.mjs FOLDER ROWS JSON_ROWS
//
// 20,000 sources, 300,000 groups with a heavy tail, 3 % IPv6, 400 beacons of known period and jitter, in order of time as
// Zeek writes: by the end of the connection, so that start times are a little out of order.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const SOURCES = 20_000;
const DESTINATIONS = 60_000;
const BEACONS = 400;
const DAY = 86_400;
const START = 1_700_006_400;
const FLUSH_ROWS = 20_000;
/** Groups that a search looks at: quick's default needs 10 callbacks. */
const LEAST_CONNECTIONS = 11;

const SERVICES = [
  [443, "tcp", "ssl"],
  [80, "tcp", "http"],
  [53, "udp", "dns"],
  [443, "udp", "quic"],
  [22, "tcp", "ssh"],
  [123, "udp", "ntp"],
  [445, "tcp", "smb,gssapi"],
  [3389, "tcp", "rdp"],
  [8080, "tcp", "-"],
  [25, "tcp", "smtp"],
  [0, "icmp", "-"],
  [5353, "udp", "dns"],
];
const STATES = ["SF", "SF", "SF", "SF", "SF", "S0", "REJ", "RSTO", "RSTR", "OTH", "S1", "SHR"];
const HISTORIES = ["ShADadFf", "ShADadfF", "ShADadttFf", "S", "Sr", "ShADadR", "Dd", "ShADad", "ShAdDaFfR"];
const FIELDS =
  "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents";
const TYPES =
  "time string addr port addr port enum string interval count count string bool bool count string count count count count set[string]";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Writes the logs for so many rows; returns the manifest. */
export function generateConnLog(folder, rows, jsonRows, { gzip = true, seed = 20_260_101 } = {}) {
  mkdirSync(folder, { recursive: true });
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = (list) => list[Math.floor(random() * list.length)];
  const hex = () => Math.floor(random() * 65_536).toString(16);
  const sources = Array.from({ length: SOURCES }, (_, i) =>
    i % 33 === 0
      ? `fd00:${(i >> 4).toString(16)}:${hex()}::${(i & 0xffff).toString(16)}`
      : `10.${i >> 12}.${(i >> 4) & 255}.${1 + ((i * 37) % 254)}`,
  );
  const octet = () => Math.floor(random() * 256);
  const destinations = Array.from({ length: DESTINATIONS }, (_, i) =>
    i % 33 === 0 ? `2a00:${hex()}:${hex()}::${i.toString(16)}` : `${20 + Math.floor(random() * 180)}.${octet()}.${octet()}.${octet()}`,
  );
  const groups = [];
  const taken = new Set();
  const wanted = Math.max(1000, Math.min(300_000, Math.round(rows * 0.06)));
  while (groups.length < wanted) {
    const source = sources[Math.floor(SOURCES * random() ** 1.5)];
    const destination = destinations[Math.floor(DESTINATIONS * random() ** 3)];
    let [port, proto, service] = SERVICES[Math.floor(SERVICES.length * random() ** 2.2)];
    if (random() < 0.1) {
      port = 1024 + Math.floor(random() * 64_000);
      service = "-";
    }
    const key = `${source} ${destination} ${port} ${proto}`;
    if (taken.has(key)) continue;
    taken.add(key);
    groups.push({ source, destination, port, proto, service, key });
  }
  taken.clear();

  const calls = [];
  for (let beacon = 0; beacon < BEACONS; beacon++) {
    const group = groups.length - 1 - Math.floor(random() * groups.length * 0.6);
    const period = 30 + 1770 * random() ** 2;
    const jitter = [0, 0.02, 0.1, 0.3][beacon & 3];
    for (let at = random() * period; at < DAY; at += period) calls.push([at + (random() - 0.5) * 2 * jitter * period, group]);
  }
  calls.sort((a, b) => a[0] - b[0]);
  calls.length = Math.min(calls.length, Math.floor(rows / 4));

  const counts = new Uint32Array(groups.length);
  const head = `#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2023-11-15-00-00-00\n#fields\t${FIELDS.replaceAll(" ", "\t")}\n#types\t${TYPES.replaceAll(" ", "\t")}\n`;
  const files = { tsv: join(folder, "conn.log"), gzip: join(folder, "conn.log.gz"), json: join(folder, "conn.json") };
  const out = { tsv: openSync(files.tsv, "w"), json: openSync(files.json, "w"), gzip: gzip ? openSync(files.gzip, "w") : -1 };
  let tsv = [head];
  let json = [];
  let packed = [];
  const flush = () => {
    const text = tsv.join("");
    writeSync(out.tsv, text);
    packed.push(text);
    // Members of some megabytes, as a sensor that rotates and an archive that concatenates them give.
    if (gzip && packed.length === 40) pack();
    writeSync(out.json, json.join(""));
    tsv = [];
    json = [];
  };
  const pack = () => {
    writeSync(out.gzip, gzipSync(packed.join(""), { level: 6 }));
    packed = [];
  };
  let jsonCounts;
  const ordinary = rows - calls.length;
  for (let row = 0, next = 0, made = 0; row < rows; row++) {
    const share = made / ordinary;
    const at = made < ordinary ? DAY * (share + 0.08 * Math.sin(2 * Math.PI * share)) : Number.POSITIVE_INFINITY;
    const isCall = next < calls.length && calls[next][0] < at;
    const [end, g] = isCall ? calls[next] : [at + random() * 0.02, Math.floor(groups.length * random() ** 4)];
    if (isCall) next++;
    else made++;
    counts[g]++;
    const { source, destination, port, proto, service } = groups[g];
    const answered = random() < 0.85;
    const seconds = answered ? random() ** 4 * 120 : 0;
    // A beacon's calls are alike; what it is must not drown in its duration.
    const ts = (START + end - (isCall ? 0 : seconds)).toFixed(6);
    const duration = seconds.toFixed(6);
    const up = answered ? Math.floor(random() ** 6 * 200_000) : 0;
    const down = answered ? Math.floor(random() ** 8 * 5_000_000) : 0;
    let uid = "C";
    for (let i = 0; i < 17; i++) uid += LETTERS[Math.floor(random() * 62)];
    const originPort = 1024 + Math.floor(random() * 64_000);
    const connState = pick(STATES);
    const history = pick(HISTORIES);
    const packetsUp = 1 + Math.floor(up / 900);
    const packetsDown = down > 0 ? 1 + Math.floor(down / 1200) : 0;
    const local = destination.startsWith("10.");
    const sizes = answered ? `${duration}\t${up}\t${down}` : "-\t-\t-";
    tsv.push(
      `${ts}\t${uid}\t${source}\t${originPort}\t${destination}\t${port}\t${proto}\t${service}\t${sizes}\t${connState}\tT\t${local ? "T" : "F"}\t0\t${history}\t${packetsUp}\t${up + 40 * packetsUp}\t${packetsDown}\t${down + 40 * packetsDown}\t-\n`,
    );
    if (row < jsonRows) {
      const optional = `${service === "-" ? "" : `,"service":"${service}"`}${answered ? `,"duration":${duration},"orig_bytes":${up},"resp_bytes":${down}` : ""}`;
      json.push(
        `{"ts":${ts},"uid":"${uid}","id.orig_h":"${source}","id.orig_p":${originPort},"id.resp_h":"${destination}","id.resp_p":${port},"proto":"${proto}"${optional},"conn_state":"${connState}","local_orig":true,"local_resp":${local},"missed_bytes":0,"history":"${history}","orig_pkts":${packetsUp},"orig_ip_bytes":${up + 40 * packetsUp},"resp_pkts":${packetsDown},"resp_ip_bytes":${down + 40 * packetsDown}}\n`,
      );
      if (row + 1 === Math.min(rows, jsonRows)) jsonCounts = counts.slice();
    }
    if (tsv.length >= FLUSH_ROWS) flush();
  }
  tsv.push("#close\t2023-11-16-00-00-00\n");
  flush();
  if (gzip && packed.length > 0) pack();
  for (const fd of Object.values(out)) if (fd >= 0) closeSync(fd);
  const figures = (of, total) => ({
    rows: total,
    groups: of.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0),
    largeGroups: of.reduce((sum, count) => sum + (count >= LEAST_CONNECTIONS ? 1 : 0), 0),
    rowsOfLargeGroups: of.reduce((sum, count) => sum + (count >= LEAST_CONNECTIONS ? count : 0), 0),
  });
  const manifest = {
    leastConnections: LEAST_CONNECTIONS,
    tsv: figures(counts, rows),
    ...(gzip && { gzip: figures(counts, rows) }),
    json: figures(jsonCounts ?? counts, Math.min(rows, jsonRows)),
    files,
  };
  writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = "data", rows = "5000000", jsonRows = "1500000"] = process.argv.slice(2);
  console.log(generateConnLog(folder, Number(rows), Number(jsonRows)));
}
