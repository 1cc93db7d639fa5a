import { type Beacon as CoreBeacon, formatTime, hunt, isConnLogName, planSearch } from "@heliograph/core";
import type { Beacon } from "../api.js";
import type { LocalMessage, LocalOrder } from "./protocol.js";

const tell = (message: LocalMessage): void => postMessage(message);
const PROGRESS_MS = 100;
const NAME_LOG = /^(?:dns|ssl|http)\b/i;

/** A file's bytes as they are read, told on the way. */
async function* bytesOf(file: File, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    read(value.length);
    yield value;
  }
}

/** A beacon as the server's API has it. */
function asListed(
  {
    source,
    destination,
    port,
    protocol,
    score,
    connectionCount,
    firstOccurrence,
    lastOccurrence,
    names,
    prevalence,
    modes,
    profile,
    evidence,
  }: CoreBeacon,
  n: number,
): Beacon {
  const { intervals, timeline, longestGapStart, ...all } = profile;
  return {
    n,
    source,
    destination,
    port,
    protocol,
    score,
    name: names[0] ?? "UNKNOWN",
    connectionCount,
    firstOccurrence: formatTime(firstOccurrence),
    lastOccurrence: formatTime(lastOccurrence),
    evidence: {
      ...evidence,
      names,
      prevalence,
      modes,
      intervalMinutes: intervals,
      timeline: { from: formatTime(timeline.from), to: formatTime(timeline.to), counts: timeline.counts },
      all: { ...all, longestGapStart: formatTime(longestGapStart) },
    },
  };
}

async function work({ files, searches }: LocalOrder): Promise<void> {
  const started = performance.now();
  let bytes = 0;
  let told = 0;
  const read = (more: number): void => {
    bytes += more;
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    tell({ kind: "progress", bytes });
  };
  const input = (file: File) => ({ name: file.name, data: bytesOf(file, read) });
  const names = files.filter(({ name }) => NAME_LOG.test(name) && !isConnLogName(name));
  const found = await hunt(files.filter((file) => !names.includes(file)).map(input), {
    searches: searches.map((name) => planSearch(name)),
    nameLogs: names.map(input),
  });
  const problems = found.reports.flatMap(({ source, damaged, truncated, malformedRows, rows, otherTypes }) => [
    ...(damaged === undefined ? [] : [`${source}: ${damaged}`]),
    ...(truncated ? [`${source}: ends in the middle of its compressed data; what came before was read`] : []),
    ...(malformedRows > 0 ? [`${source}: ${malformedRows} malformed rows left out`] : []),
    ...(rows === 0 && damaged === undefined
      ? [`${source}: has no connection${otherTypes.length > 0 ? `; it is a log of type ${otherTypes.join(", ")}` : ""}`]
      : []),
  ]);
  tell({
    kind: "done",
    searches: found.results.map(({ search, beacons }) => ({
      name: search.name,
      beacons: beacons.map((beacon, i) => asListed(beacon, i + 1)),
    })),
    rows: found.reports.reduce((sum, { rows }) => sum + rows, 0),
    groups: found.groups,
    problems,
    seconds: (performance.now() - started) / 1000,
  });
}

addEventListener("message", ({ data }: MessageEvent<LocalOrder>) => {
  work(data).catch((cause: unknown) => tell({ kind: "failed", message: cause instanceof Error ? cause.message : String(cause) }));
});
