import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { isConnLogName, matchesWildcard } from "@heliograph/core";

/** A log to read. */
export interface LogFile {
  /** As the user would write it; `-` is standard input. */
  readonly name: string;
  /** Absolute; empty for standard input. */
  readonly path: string;
  /** 0 where it is not known. */
  readonly size: number;
  /** Standard input, a pipe or a device: it can be read once, from its start. */
  readonly stream: boolean;
}

/** A named input that cannot be read, and what to do about it. */
export interface InputProblem {
  readonly name: string;
  readonly reason: string;
}

/** The logs found, and the inputs that gave none. */
export interface FoundLogs {
  readonly files: readonly LogFile[];
  readonly problems: readonly InputProblem[];
  /** Files left out because the same file was named before, or a link leads out of its folder. */
  readonly skipped: readonly InputProblem[];
}

export const STANDARD_INPUT = "-";

/** Deeper than any log archive; a loop of mounts ends here. */
const MAX_DEPTH = 64;

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ENOENT") return "no such file or folder";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** How to find logs. */
export interface FindOptions {
  /** Whether a folder's `.zip` archives count whatever their names. */
  readonly archives?: boolean;
  /** Which files of a folder count, by name, and what they are called; default: connection logs. */
  readonly names?: { readonly test: (name: string) => boolean; readonly what: string };
}

const CONNECTION_LOGS = { test: isConnLogName, what: "connection logs (conn*.log, conn*.log.gz, …)" };

class Finder {
  readonly #archives: boolean;
  readonly #names: NonNullable<FindOptions["names"]>;
  readonly files: LogFile[] = [];
  readonly problems: InputProblem[] = [];
  readonly skipped: InputProblem[] = [];
  readonly #seen = new Set<string>();

  constructor({ archives = false, names = CONNECTION_LOGS }: FindOptions) {
    this.#archives = archives;
    this.#names = names;
  }

  /** Adds a file once, whatever names lead to it. */
  async add(name: string, stats: Stats): Promise<void> {
    if (!stats.isFile()) {
      // A pipe, as `<(zcat conn.log.gz)` of a shell is; it has no real path.
      this.files.push({ name, path: name, size: 0, stream: true });
      return;
    }
    const real = await realpath(name);
    const identity = stats.ino === 0 ? real : `${stats.dev}:${stats.ino}`;
    if (this.#seen.has(identity)) {
      this.skipped.push({ name, reason: "the same file was named before" });
      return;
    }
    this.#seen.add(identity);
    this.files.push({ name, path: real, size: stats.size, stream: false });
  }

  async input(name: string): Promise<void> {
    if (name === STANDARD_INPUT) {
      if (!this.#seen.has(name)) this.files.push({ name, path: "", size: 0, stream: true });
      this.#seen.add(name);
      return;
    }
    let stats: Stats;
    try {
      stats = await stat(name);
    } catch (cause) {
      if (/[*?]/.test(name)) return this.glob(name);
      this.problems.push({ name, reason: reasonOf(cause) });
      return;
    }
    if (!stats.isDirectory()) return this.add(name, stats);
    const before = this.files.length + this.skipped.length;
    await this.folder(name, await realpath(name), 0);
    if (this.files.length + this.skipped.length === before) {
      this.problems.push({ name, reason: `holds no ${this.#names.what}; name other files directly` });
    }
  }

  /** The connection logs of a folder, in order of name; links are followed only to places inside `root`. */
  async folder(path: string, root: string, depth: number): Promise<void> {
    let entries: Dirent[];
    try {
      entries = (await readdir(path, { withFileTypes: true })).sort(byName);
    } catch (cause) {
      this.problems.push({ name: path, reason: reasonOf(cause) });
      return;
    }
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const name = join(path, entry.name);
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH) await this.folder(name, root, depth + 1);
        continue;
      }
      const wanted = this.#names.test(entry.name) || (this.#archives && entry.name.endsWith(".zip"));
      if (!wanted && !entry.isSymbolicLink()) continue;
      try {
        if (entry.isSymbolicLink()) {
          const outside = relative(root, await realpath(name));
          if (outside === ".." || outside.startsWith(`..${sep}`) || resolve(outside) === outside) {
            if (wanted) this.skipped.push({ name, reason: "a link that leads out of the folder" });
            continue;
          }
        }
        const stats = await stat(name);
        // A linked folder inside the root is walked where it stands.
        if (wanted && stats.isFile()) await this.add(name, stats);
      } catch (cause) {
        if (wanted) this.problems.push({ name, reason: reasonOf(cause) });
      }
    }
  }

  /** Expands `*`, `?` and `**` of a path; a folder it names is searched as if it were named itself. */
  async glob(pattern: string): Promise<void> {
    const parts = pattern.split(/[\\/]+/);
    const first = parts[0] === "" ? sep : ".";
    const found: string[] = [];
    await this.expand(first, parts[0] === "" ? parts.slice(1) : parts, found, 0);
    if (found.length === 0) this.problems.push({ name: pattern, reason: "no file matches" });
    for (const name of found) await this.input(name);
  }

  async expand(base: string, parts: readonly string[], found: string[], depth: number): Promise<void> {
    const [part, ...rest] = parts;
    if (part === undefined || depth > MAX_DEPTH) {
      if (part === undefined && base !== ".") found.push(base);
      return;
    }
    if (!/[*?]/.test(part)) {
      const path = base === "." ? part : join(base, part);
      if (await stat(path).catch(() => undefined)) await this.expand(path, rest, found, depth);
      return;
    }
    const entries = await readdir(base, { withFileTypes: true }).catch(() => [] as Dirent[]);
    if (part === "**") await this.expand(base, rest, found, depth + 1);
    for (const entry of entries.sort(byName)) {
      if (entry.name.startsWith(".") && !part.startsWith(".")) continue;
      const path = base === "." ? entry.name : join(base, entry.name);
      if (part === "**") {
        if (entry.isDirectory()) await this.expand(path, parts, found, depth + 1);
      } else if (matchesWildcard(part, entry.name) && (rest.length === 0 || !entry.isFile())) {
        await this.expand(path, rest, found, depth + 1);
      }
    }
  }
}

/**
 * Finds the connection logs that paths name: files (whatever their names), folders (recursively, by the names Zeek gives
 * connection logs), patterns with `*`, `?` and `**`, and `-` for standard input. No real file comes twice.
 */
export async function findLogs(paths: readonly string[], options: FindOptions = {}): Promise<FoundLogs> {
  const finder = new Finder(options);
  for (const path of paths) await finder.input(path);
  return { files: finder.files, problems: finder.problems, skipped: finder.skipped };
}
