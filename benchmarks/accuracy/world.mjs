// A labelled network: connection logs of some hosts with beacons among them, and the dns log that names some of the
// destinations. Seeded: the same every time.
import { Random } from "../random.mjs";
import { BACKGROUND } from "./background.mjs";
import { BEACON_CLASSES, FEWEST_CALLS } from "./beacons.mjs";

const START = 1_700_006_400;
const HOSTS = 2000;
const STATES = ["SF", "SF", "SF", "SF", "SF", "SF", "RSTO", "RSTR", "S1", "SHR"];
const SERVICES = { 53: "dns", 80: "http", 123: "ntp", 161: "snmp", 443: "ssl" };
const FAILED = ["S0", "S0", "S0", "REJ"];
const UPDATE_NAMES = [
  "download.windowsupdate.com",
  "settings-win.data.microsoft.com",
  "swcdn.apple.com",
  "archive.ubuntu.com",
  "clients2.google.com",
];
const CONN_HEAD =
  "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\torig_bytes\tresp_bytes\tconn_state\torig_ip_bytes\n";
const DNS_HEAD =
  "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\tanswers\n";

const hostAddress = (host) => `10.${host >> 14}.${(host >> 7) & 127}.${1 + (host & 127)}`;

/** A public address of its own for each number. */
const publicAddress = (number) => {
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 0;
  return `${20 + ((number >>> 16) % 80)}.${(number >>> 8) & 255}.${number & 255}.${1 + (mixed % 254)}`;
};

/** How a group's connections look: bytes and states. */
function looks(random, { regular, failed = 0.02 }) {
  const fixed = regular ? random.chance(0.6) : random.chance(0.1);
  const up = random.logBetween(60, 3000);
  const down = random.logBetween(60, 30_000);
  const spread = regular ? 0.15 : 1;
  return () => {
    if (random.chance(failed)) return [0, 0, random.pick(FAILED)];
    if (fixed) return [Math.round(up), Math.round(down), "SF"];
    return [Math.round(random.logNormal(up, spread)), Math.round(random.logNormal(down, 1.5 * spread)), random.pick(STATES)];
  };
}

/** A beacon's connections: a check-in that says the same, says nearly the same, or is padded at random; a task now and then. */
function beaconLooks(random) {
  const kind = random.pick(["fixed", "fixed", "near", "random"]);
  const up = random.logBetween(60, 2000);
  const down = random.logBetween(60, 2000);
  return () => {
    if (random.chance(0.02)) return [Math.round(up * random.logBetween(2, 200)), Math.round(down * random.logBetween(1, 50)), "SF"];
    if (kind === "fixed") return [Math.round(up), Math.round(down), "SF"];
    const spread = kind === "near" ? 0.1 : 0.8;
    return [Math.round(random.logNormal(up, spread)), Math.round(random.logNormal(down, spread)), "SF"];
  };
}

/** Writes rows as Zeek does, in pieces. */
class ConnWriter {
  #random;
  #piece = [CONN_HEAD];
  pieces = [];
  rows = 0;

  constructor(random) {
    this.#random = random;
  }

  group({ source, destination, port, protocol, service = "-" }, calls, look) {
    const tail = `\t${destination}\t${port}\t${protocol}\t${service}\t`;
    for (const at of calls) {
      const [up, down, state] = look();
      this.#piece.push(
        `${(START + at).toFixed(6)}\t${source}\t${this.#random.whole(1024, 65_535)}${tail}${up}\t${down}\t${state}\t${up + 40 * (2 + Math.ceil(up / 1400))}\n`,
      );
    }
    this.rows += calls.length;
    if (this.#piece.length > 20_000) this.flush();
  }

  flush() {
    this.pieces.push(Buffer.from(this.#piece.join("")));
    this.#piece = [];
  }
}

/**
 * A network of `groups` connection groups without a beacon and `beacons` with one, over `capture` seconds.
 * Returns the logs and, by the key of a beacon's group, its class.
 */
export function makeWorld({ seed, groups, beacons, capture, classes = Object.keys(BEACON_CLASSES) }) {
  const random = new Random(seed);
  const conn = new ConnWriter(random);
  const labels = new Map();
  const kinds = new Map();
  const dns = [DNS_HEAD];
  let destinations = 0;
  const shares = Object.values(BACKGROUND).reduce((sum, { share }) => sum + share, 0);
  let made = 0;
  for (const [kind, { share, hosts, port, internal, inbound, named, calls, ...rest }] of Object.entries(BACKGROUND)) {
    const wanted = Math.max(1, Math.round((groups * share) / shares));
    for (let done = 0; done < wanted; ) {
      const popular = Math.min(Math.round(random.logBetween(hosts[0], hosts[1])), wanted - done, HOSTS);
      const server = destinations++;
      const servicePort = port ?? random.pick([443, 443, 443, 80, 8080, 22, 5223, 8443, 993, 3306]);
      const name = named && random.chance(0.7) ? random.pick(UPDATE_NAMES) : undefined;
      const first = random.whole(0, HOSTS - 1);
      for (let i = 0; i < popular; i++, done++) {
        const times = calls(random, capture).sort((a, b) => a - b);
        if (times.length === 0 || times[0] >= capture) continue;
        const host = hostAddress((first + i * 7) % HOSTS);
        // Monitoring asks each host from one; strangers try each from outside.
        const [source, destination] = internal
          ? ["10.200.0.1", hostAddress(HOSTS + server)]
          : inbound
            ? [publicAddress(8_000_000 + (server % 300)), hostAddress(server % HOSTS)]
            : [host, publicAddress(server)];
        const group = {
          source,
          destination,
          port: inbound ? 1 + ((server * 7) % 1024) : servicePort,
          protocol: servicePort === 53 || servicePort === 123 || servicePort === 161 ? "udp" : "tcp",
        };
        if (group.protocol === "udp" || !inbound) group.service = SERVICES[group.port];
        if (name) dns.push(`${(START + times[0] - 0.05).toFixed(6)}\t${source}\t5353\t10.0.0.53\t53\tudp\t${name}\tA\t${destination}\n`);
        conn.group(group, times, looks(random, rest));
        kinds.set(`${source} ${destination} ${group.port} ${group.protocol}`, kind);
        made++;
      }
    }
  }
  for (let beacon = 0; beacon < beacons; ) {
    const name = classes[beacon % classes.length];
    const { calls, ...drawn } = BEACON_CLASSES[name](random, capture);
    if (calls.length < FEWEST_CALLS) continue;
    const destination = publicAddress(4_000_000 + destinations++);
    const port = random.pick([443, 443, 443, 80, 8080, 8443, 4444, 53, 1337]);
    // Zeek sees that what goes over port 53 is no DNS.
    const service = port === 53 ? undefined : SERVICES[port];
    // Mostly one victim; sometimes a few, each with a timer of its own.
    const source = hostAddress(random.whole(0, HOSTS - 1));
    conn.group(
      { source, destination, port, protocol: "tcp", service },
      calls.filter((at) => at < capture),
      beaconLooks(random),
    );
    labels.set(`${source} ${destination} ${port} tcp`, { class: name, calls: calls.length, ...drawn });
    beacon++;
  }
  conn.flush();
  return { conn: conn.pieces, dns: [Buffer.from(dns.join(""))], labels, kinds, groups: made, rows: conn.rows };
}
