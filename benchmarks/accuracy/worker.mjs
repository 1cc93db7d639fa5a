// Makes one world and hunts in it with every detector: what it found, by label. Runs in a thread of its own.
import { parentPort, workerData } from "node:worker_threads";
import { hunt, planSearch } from "@heliograph/core";
import { makeWorld } from "./world.mjs";

const { world, searches } = workerData;
const { conn, dns, labels, kinds, groups, rows } = makeWorld(world);
async function* pieces(buffers) {
  // Each piece is freed as soon as it is read.
  while (buffers.length > 0) yield buffers.shift();
}
const { results } = await hunt([{ name: "conn.log", data: pieces(conn) }], {
  searches: searches.map(({ name, parameters }) => planSearch(name, parameters)),
  nameLogs: [{ name: "dns.log", data: pieces(dns) }],
});
const found = results.map(({ beacons }) =>
  beacons.map(({ source, destination, port, protocol, score, evidence }) => {
    const key = `${source} ${destination} ${port} ${protocol}`;
    return { score, class: labels.get(key)?.class, kind: kinds.get(key), ...(workerData.evidence && { label: labels.get(key), evidence }) };
  }),
);
parentPort.postMessage({ found, labels: [...labels.values()], groups, rows });
