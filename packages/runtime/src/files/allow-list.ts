import { readFile, stat } from "node:fs/promises";
import { type ConnectionFilter, CoreError, hostEntry } from "@heliograph/core";

const MOST_BYTES = 64 * 2 ** 20;
/** Columns of a CSV file that hold hosts. */
const HOST_COLUMNS = new Set(["ip", "address", "cidr", "network", "domain", "host", "hostname", "name", "dns", "indicator"]);

/** The hosts of a list. */
interface HostList {
  readonly addresses: readonly string[];
  readonly names: readonly string[];
}

const bad = (file: string, reason: string, line?: number, cause?: unknown): CoreError =>
  new CoreError("bad-parameter", line === undefined ? `${file}: ${reason}` : `${file}: line ${line}: ${reason}`, {
    source: file,
    cause,
    ...(line !== undefined && { line }),
  });

async function textOf(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MOST_BYTES) throw bad(file, "is larger than 64 MiB");
    return (await readFile(file, "utf8")).replace(/^\ufeff/, "");
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const reason = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "is a folder" : String(cause);
    throw bad(file, reason, undefined, cause);
  }
}

/** The cells of each line; a line of a comment has none. */
async function cellsOf(file: string, text: string): Promise<string[][]> {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, ""));
  if (!lines.some((line) => /[,;"]/.test(line))) return lines.map((line) => [line.trim()]);
  const { parseString } = await import("fast-csv");
  const delimiter = lines.some((line) => line.includes(",")) ? "," : ";";
  return new Promise((resolve, reject) => {
    const rows: string[][] = [];
    parseString(lines.join("\n"), { delimiter, trim: true, ignoreEmpty: false })
      .on("data", (row: string[]) => rows.push(row))
      .on("error", (cause: Error) => reject(bad(file, cause.message, rows.length + 1, cause)))
      .on("end", () => resolve(rows));
  });
}

/**
 * Reads a list of hosts: an address, network, name or pattern a line, `#` comments; or CSV, of which the columns called ip, address,
 * cidr, network, domain, host, hostname, name, dns or indicator count, else the first.
 * @throws CoreError `bad-parameter` that names the file, the line and the reason
 */
export async function readHostList(file: string): Promise<HostList> {
  const rows = await cellsOf(file, await textOf(file));
  const addresses: string[] = [];
  const names: string[] = [];
  const header = rows.findIndex((row) => row.some((cell) => cell !== ""));
  const titled = (rows[header] ?? []).flatMap((cell, column) => (HOST_COLUMNS.has(cell.toLowerCase()) ? [column] : []));
  const columns = titled.length > 0 ? titled : [0];
  rows.forEach((row, index) => {
    if (titled.length > 0 && index === header) return;
    for (const column of columns) {
      const cell = row[column] ?? "";
      if (cell === "") continue;
      const entry = hostEntry(cell);
      if (!entry) {
        const shown = JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60)}…` : cell);
        throw bad(file, `${shown} is no address, no network such as 10.0.0.0/8 and no host name such as example.com`, index + 1);
      }
      (entry.kind === "address" ? addresses : names).push(entry.value);
    }
  });
  return { addresses, names };
}

/** A filter that leaves out, besides what it left out before, destinations that stand in lists of hosts. */
export async function withAllowLists(filter: ConnectionFilter, files: readonly string[]): Promise<ConnectionFilter> {
  const lists = await Promise.all(files.map(readHostList));
  const addresses = lists.flatMap((list) => list.addresses);
  const names = lists.flatMap((list) => list.names);
  return {
    ...filter,
    ...(addresses.length > 0 && {
      destination: { ...filter.destination, exclude: [...(filter.destination?.exclude ?? []), ...addresses] },
    }),
    ...(names.length > 0 && { names: { ...filter.names, exclude: [...(filter.names?.exclude ?? []), ...names] } }),
  };
}
