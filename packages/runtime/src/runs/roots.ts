import { realpath } from "node:fs/promises";
import { isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import { CoreError } from "@heliograph/core";

/** Why a path was not taken. */
export class PathError extends Error {
  readonly reason: "outside" | "missing";

  constructor(reason: "outside" | "missing", message: string) {
    super(message);
    this.name = "PathError";
    this.reason = reason;
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** The folders that a server may read, by name. */
export class Roots {
  readonly #roots: ReadonlyMap<string, string>;

  private constructor(roots: ReadonlyMap<string, string>) {
    this.#roots = roots;
  }

  /**
   * Takes folders by name; links are resolved now.
   * @throws CoreError `bad-parameter` for one that is not there
   */
  static async open(folders: Readonly<Record<string, string>>): Promise<Roots> {
    const roots = new Map<string, string>();
    for (const [name, folder] of Object.entries(folders)) {
      if (!/^[\w.-]+$/.test(name) || name === "." || name === "..")
        throw new CoreError("bad-parameter", `root ${JSON.stringify(name)}: a name has letters, digits, _ . and - only`);
      try {
        roots.set(name, await realpath(resolve(folder)));
      } catch (cause) {
        throw new CoreError("bad-parameter", `root ${name}: ${folder}: no such folder`, { source: folder, cause });
      }
    }
    return new Roots(roots);
  }

  get names(): string[] {
    return [...this.#roots.keys()];
  }

  /**
   * The real path that a request names: `/NAME`, `/NAME/below`, or a path inside one of the folders. What a link leads to counts,
   * not what it is called.
   * @throws PathError
   */
  async resolve(named: string): Promise<string> {
    const outside = (): PathError =>
      new PathError(
        "outside",
        `${JSON.stringify(named.slice(0, 200))} lies in none of the folders that this server may read (${this.names.map((name) => `/${name}`).join(", ") || "none"}); start it with --root NAME=PATH to allow one`,
      );
    if (named.includes("\0")) throw outside();
    const plain = normalize(`/${named.replaceAll("\\", "/")}`);
    const [, first = "", ...below] = plain.split("/");
    const root = this.#roots.get(first);
    const candidates = [...(root === undefined ? [] : [join(root, ...below)]), ...(isAbsolute(named) ? [normalize(named)] : [])];
    // By name first; a path must lie inside before anything is looked for, so that nobody learns what there is elsewhere.
    for (const path of candidates) {
      const home = [...this.#roots.values()].find((folder) => isInside(folder, path));
      if (home === undefined) continue;
      let real: string;
      try {
        real = await realpath(path);
      } catch {
        throw new PathError("missing", `${JSON.stringify(named.slice(0, 200))}: no such file or folder`);
      }
      if (![...this.#roots.values()].some((folder) => isInside(folder, real))) throw outside();
      return real;
    }
    throw outside();
  }
}
