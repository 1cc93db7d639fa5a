import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "./free-port.js";

/** A PostgreSQL server of a test's own. */
export interface TestPostgres {
  /** A new, empty database. */
  database(): Promise<string>;
  /** Ends the server at once, as a crash does, and starts it again after a while. */
  restart(pauseMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** The folder of PostgreSQL's programs; undefined, with a printed reason, where it is not installed. */
export function postgresPrograms(): string | undefined {
  const home = "/usr/lib/postgresql";
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(home, version, "bin")).find((folder) => existsSync(join(folder, "initdb")));
  if (found === undefined) console.warn("skipped: PostgreSQL is not installed");
  return found;
}

/** Starts a server on a loopback port with its data in a temporary folder. It refuses to run as root: then it is postgres. */
export async function startPostgres(programs: string): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const isRoot = process.getuid?.() === 0;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const identity = isRoot ? { uid: id("-u"), gid: id("-g") } : {};
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  execFileSync(join(programs, "initdb"), ["-D", data, "-U", "test", "-A", "trust", "--no-sync"], {
    ...identity,
    cwd: folder,
    stdio: "ignore",
  });
  const port = await freePort();
  const options = ["-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
  const launch = (): ChildProcess => spawn(join(programs, "postgres"), options, { ...identity, cwd: folder, stdio: "ignore" });
  let server = launch();
  const { default: pg } = await import("pg");
  const admin = `postgres://test@127.0.0.1:${port}/postgres`;
  const ask = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: admin });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  const answers = async (): Promise<void> => {
    for (let left = 100; ; left--) {
      try {
        await ask("select 1");
        return;
      } catch (cause) {
        if (left === 0 || server.exitCode !== null) throw cause;
        await wait(100);
      }
    }
  };
  await answers();
  let databases = 0;
  return {
    async database() {
      const name = `test_${databases++}`;
      await ask(`create database ${name}`);
      return `postgres://test@127.0.0.1:${port}/${name}`;
    },
    async restart(pauseMs) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGQUIT");
      await ended;
      await wait(pauseMs);
      server = launch();
      await answers();
    },
    async stop() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
