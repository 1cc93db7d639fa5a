import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.js";

/** An OpenSearch node of a test's own. */
export interface TestOpenSearch {
  readonly url: string;
  /** Makes an index with a mapping and writes documents to it. */
  fill(index: string, mapping: object, documents: readonly object[]): Promise<void>;
  stop(): Promise<void>;
}

const SERVER = fileURLToPath(new URL("../../../../test-servers/opensearch/", import.meta.url));
const LONGEST_FETCH_SECONDS = 300;
const CLASSPATH = join(SERVER, "target", "classpath.txt");

const works = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** Has Maven fetch the jars; of several that ask at once one does, and the others wait. */
function resolved(): boolean {
  const target = join(SERVER, "target");
  const lock = join(target, "lock");
  mkdirSync(target, { recursive: true });
  try {
    mkdirSync(lock);
  } catch {
    const still = new Int32Array(new SharedArrayBuffer(4));
    for (let left = LONGEST_FETCH_SECONDS; left > 0 && existsSync(lock); left--) Atomics.wait(still, 0, 0, 1000);
    return existsSync(CLASSPATH);
  }
  try {
    const fetched = works("mvn", ["-q", "-B", "-f", SERVER, "dependency:build-classpath", "-Dmdep.outputFile=target/classpath.new"]);
    if (fetched) renameSync(join(target, "classpath.new"), CLASSPATH);
    return fetched;
  } finally {
    rmSync(lock, { recursive: true });
  }
}

/** The node's Java class path; undefined, with a printed reason, where Java or Maven is not installed. */
export function openSearchJars(): string | undefined {
  const why = !works("java", ["-version"])
    ? "Java"
    : !works("mvn", ["-v"])
      ? "Maven"
      : !works("javac", ["-version"])
        ? "a Java compiler"
        : undefined;
  if (why !== undefined) {
    console.warn(`skipped: ${why} is not installed, which the OpenSearch node needs`);
    return undefined;
  }
  if (!existsSync(CLASSPATH) && !resolved()) {
    console.warn("skipped: Maven could not fetch the OpenSearch node's jars");
    return undefined;
  }
  return readFileSync(CLASSPATH, "utf8").trim();
}

/** Starts a node on a loopback port with its data in a temporary folder. */
export async function startOpenSearch(jars: string): Promise<TestOpenSearch> {
  const folder = mkdtempSync(join(tmpdir(), "opensearch-"));
  mkdirSync(join(folder, "config"));
  const port = await freePort();
  const node = spawn("java", ["-Xms256m", "-Xmx1g", "-cp", jars, join(SERVER, "TestNode.java"), folder, String(port)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let left = 300; ; left--) {
    const answered = await fetch(`${url}/_cluster/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) break;
    if (left === 0 || node.exitCode !== null) throw new Error("the OpenSearch node did not start");
    await wait(200);
  }
  const ask = async (method: string, path: string, body: string): Promise<void> => {
    const answer = await fetch(`${url}${path}`, { method, headers: { "content-type": "application/json" }, body });
    const text = await answer.text();
    if (!answer.ok || text.includes('"errors":true')) throw new Error(`${path}: ${text.slice(0, 500)}`);
  };
  return {
    url,
    async fill(index, mapping, documents) {
      await ask("PUT", `/${index}`, JSON.stringify({ settings: { number_of_shards: 3, number_of_replicas: 0 }, mappings: mapping }));
      for (let at = 0; at < documents.length; at += 5000) {
        const lines = documents.slice(at, at + 5000).map((document) => `{"index":{}}\n${JSON.stringify(document)}\n`);
        await ask("POST", `/${index}/_bulk`, lines.join(""));
      }
      await ask("POST", `/${index}/_refresh`, "");
    },
    async stop() {
      const ended = new Promise((resolve) => node.once("exit", resolve));
      node.stdin.end();
      await Promise.race([ended, wait(10_000)]);
      node.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
