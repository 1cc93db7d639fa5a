// Writes the example logs: one day of a small office, hourly and gzipped, TSV until noon and JSON lines after it (the
// sensor was upgraded), with planted beacons. Seeded: the same files every time. Run: node examples/generate.mjs
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const DAY = 86_400;
const START = Date.UTC(2025, 2, 12) / 1000;

let state = 20250312;
/** Uniform in [0, 1): mulberry32. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const between = (low, high) => low + random() * (high - low);
const whole = (low, high) => Math.floor(between(low, high + 1));
const pick = (list) => list[Math.floor(random() * list.length)];
const exponential = (mean) => -mean * Math.log(1 - random());
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const uid = () => `C${Array.from({ length: 17 }, () => pick(LETTERS)).join("")}`;

const rows = [];
function connection(time, source, destination, port, proto, options = {}) {
  if (time < 0 || time >= DAY) return;
  const { service, duration = between(0.02, 8), up = whole(120, 4000), down = whole(200, 60_000), connState = "SF" } = options;
  const answered = connState === "SF";
  const sent = Math.round(up);
  const received = answered ? Math.round(down) : 0;
  const packetsUp = 2 + Math.floor(sent / 1200);
  const packetsDown = answered ? 2 + Math.floor(received / 1300) : 0;
  rows.push({
    ts: (START + time).toFixed(6),
    uid: uid(),
    "id.orig_h": source,
    "id.orig_p": whole(32_768, 60_999),
    "id.resp_h": destination,
    "id.resp_p": port,
    proto,
    service,
    duration: answered ? duration.toFixed(6) : undefined,
    orig_bytes: answered ? sent : undefined,
    resp_bytes: answered ? received : undefined,
    conn_state: connState,
    local_orig: source.startsWith("10.") || source.startsWith("fd") ? "T" : "F",
    local_resp: destination.startsWith("10.") || destination.startsWith("fd") ? "T" : "F",
    missed_bytes: 0,
    history: answered ? (proto === "tcp" ? "ShADadFf" : "Dd") : connState === "REJ" ? "Sr" : "S",
    orig_pkts: packetsUp,
    orig_ip_bytes: sent + packetsUp * 40,
    resp_pkts: packetsDown,
    resp_ip_bytes: received + packetsDown * 40,
  });
}

// Office hours: quiet at night, busy from eight to six with a dip at lunch.
const busy = (hour) => (hour < 6 || hour > 20 ? 0.06 : hour < 8 || hour > 18 ? 0.35 : hour === 12 ? 0.6 : 1);
const hosts = Array.from({ length: 22 }, (_, i) => `10.20.1.${20 + i}`);
const sites = Array.from({ length: 140 }, () => `${whole(23, 198)}.${whole(1, 254)}.${whole(1, 254)}.${whole(1, 254)}`);
const sites6 = Array.from({ length: 12 }, (_, i) => `2a02:26f0:${whole(256, 65_535).toString(16)}::${(i + 16).toString(16)}`);

for (const host of hosts) {
  for (let hour = 0; hour < 24; hour++) {
    // Page loads: a DNS look-up, then a burst of connections to a few servers.
    const loads = Math.round(exponential(3.2 * busy(hour)));
    for (let load = 0; load < loads; load++) {
      const at = hour * 3600 + between(0, 3600);
      connection(at, host, "10.20.0.2", 53, "udp", {
        service: "dns",
        duration: between(0.001, 0.06),
        up: whole(28, 60),
        down: whole(60, 400),
      });
      const favourite = Math.floor(sites.length * random() ** 2.5);
      for (let i = 0, n = whole(1, 4); i < n; i++) {
        const site = sites[(favourite + i * 7) % sites.length];
        connection(at + 0.05 + exponential(0.8), host, site, random() < 0.93 ? 443 : 80, "tcp", {
          service: random() < 0.93 ? "ssl" : "http",
        });
      }
    }
  }
}
// A laptop with IPv6, and QUIC.
for (let hour = 7; hour < 19; hour++) {
  for (let i = 0; i < 9; i++) {
    connection(hour * 3600 + between(0, 3600), "fd12:20::1:44", pick(sites6), 443, random() < 0.5 ? "udp" : "tcp", {
      service: random() < 0.5 ? "quic" : "ssl",
    });
  }
}
// A scanner from outside: one try a port and host.
for (let i = 0; i < 260; i++) {
  connection(
    between(0, DAY),
    `203.0.113.${whole(2, 60)}`,
    `10.20.1.${whole(20, 60)}`,
    pick([22, 23, 80, 443, 445, 3389, 5900, 8080]),
    "tcp",
    {
      connState: random() < 0.5 ? "S0" : "REJ",
    },
  );
}

const planted = [];
const benign = [];
/** Calls every `seconds`, each gap off by up to `jitter` of it; some calls missed. */
function beacon(list, what, source, destination, port, proto, seconds, jitter, options = {}) {
  const { missed = 0, up = 410, down = 236, service = "ssl", from = between(0, seconds), to = DAY } = options;
  let connections = 0;
  for (let at = from; at < to; at += seconds * (1 + between(-jitter, jitter))) {
    if (random() < missed) continue;
    connection(at, source, destination, port, proto, { service, duration: between(0.05, 0.4), up, down: down + whole(0, 24) });
    connections++;
  }
  list.push({
    what,
    source,
    destination,
    port,
    protocol: proto,
    intervalSeconds: seconds,
    jitterShare: jitter,
    missedShare: missed,
    connections,
  });
}
beacon(planted, "implant, five minutes with a fifth of jitter", hosts[4], "185.199.220.14", 443, "tcp", 300, 0.2);
beacon(
  planted,
  "implant, ten minutes with a third of jitter, misses one call in twenty",
  hosts[11],
  "91.219.236.180",
  8443,
  "tcp",
  600,
  0.33,
  { missed: 0.05 },
);
beacon(planted, "implant, a quarter of an hour, hardly any jitter, plain HTTP", hosts[17], "45.77.65.211", 80, "tcp", 900, 0.03, {
  service: "http",
  up: 296,
});
beacon(planted, "implant over IPv6, eight minutes", "fd12:20::1:44", "2a0e:1bc1:cf::bad", 443, "tcp", 480, 0.15);
beacon(planted, "interactive implant, half a minute (too fast for the default delta)", hosts[8], "193.142.146.35", 443, "tcp", 30, 0.1, {
  from: 9 * 3600,
  to: 13 * 3600,
});
for (const host of hosts.slice(0, 3)) {
  beacon(benign, "NTP client", host, "192.0.2.123", 123, "udp", 1024, 0.04, { service: "ntp", up: 48, down: 48 });
}
beacon(benign, "update check of a printer", "10.20.1.200", "198.51.100.77", 443, "tcp", 1200, 0.01, { up: 640 });

rows.sort((a, b) => Number(a.ts) - Number(b.ts));
const FIELDS = {
  ts: "time",
  uid: "string",
  "id.orig_h": "addr",
  "id.orig_p": "port",
  "id.resp_h": "addr",
  "id.resp_p": "port",
  proto: "enum",
  service: "string",
  duration: "interval",
  orig_bytes: "count",
  resp_bytes: "count",
  conn_state: "string",
  local_orig: "bool",
  local_resp: "bool",
  missed_bytes: "count",
  history: "string",
  orig_pkts: "count",
  orig_ip_bytes: "count",
  resp_pkts: "count",
  resp_ip_bytes: "count",
};
const names = Object.keys(FIELDS);
const two = (n) => String(n).padStart(2, "0");

function tsv(hour, part) {
  const opened = `2025-03-12-${two(hour)}-00-00`;
  const head = [
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    "#path\tconn",
    `#open\t${opened}`,
    `#fields\t${names.join("\t")}`,
    `#types\t${Object.values(FIELDS).join("\t")}`,
  ];
  const body = part.map((row) => names.map((name) => row[name] ?? "-").join("\t"));
  return `${[...head, ...body, `#close\t2025-03-12-${two(hour + 1)}-00-00`].join("\n")}\n`;
}

function json(part) {
  const value = (name, raw) => {
    if (FIELDS[name] === "bool") return raw === "T";
    return ["time", "interval", "count", "port"].includes(FIELDS[name]) ? Number(raw) : raw;
  };
  const line = (row) => {
    const members = names
      .filter((name) => row[name] !== undefined)
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(value(name, row[name]))}`);
    return `{${members.join(",")}}`;
  };
  return part.map((row) => `${line(row)}\n`).join("");
}

rmSync(`${here}logs`, { recursive: true, force: true });
mkdirSync(`${here}logs`, { recursive: true });
for (let hour = 0; hour < 24; hour++) {
  const part = rows.filter((row) => Math.floor((Number(row.ts) - START) / 3600) === hour);
  const text = hour < 12 ? tsv(hour, part) : json(part);
  const packed = gzipSync(text, { level: 9 });
  // The byte that names the operating system: the same files everywhere.
  packed[9] = 255;
  writeFileSync(`${here}logs/conn.${two(hour)}_00_00-${two((hour + 1) % 24)}_00_00.log.gz`, packed);
}
writeFileSync(`${here}planted.json`, `${JSON.stringify({ rows: rows.length, planted, benignPeriodic: benign }, undefined, 2)}\n`);
console.log(`${rows.length} connections, ${planted.length} planted beacons`);
