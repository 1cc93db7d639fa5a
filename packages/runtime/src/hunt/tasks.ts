import { SNIFF_BYTES, sniffCompression } from "@heliograph/core";
import { openFile } from "../files/file-access.js";
import type { LogFile } from "../files/find-logs.js";

/** A piece of work for one reader: a whole file, or the lines of a plain one that start in [from, to). */
export interface ReadTask {
  /** The file's place in the list. */
  readonly file: number;
  readonly name: string;
  /** Empty for standard input. */
  readonly path: string;
  readonly stream: boolean;
  readonly from: number;
  /** Infinity: the whole file. */
  readonly to: number;
  /** How the file starts, for a part of it. */
  readonly opening?: string;
}

const SPLIT_BYTES = 32 * 2 ** 20;
const HEAD_BYTES = 1 << 16;

/** The `#` lines at the start of a TSV log, or the first row of JSON lines; undefined when a part could not be read alone. */
export function openingOf(head: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(head);
  const lines = text.split("\n").slice(0, -1);
  if (text.startsWith("{")) return lines[0];
  const rows = lines.findIndex((line) => !line.startsWith("#"));
  const header = lines.slice(0, rows === -1 ? 0 : rows).map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  return header.some((line) => line.startsWith("#fields")) ? header.join("\n") : undefined;
}

async function fileTasks(file: LogFile, index: number, split: boolean): Promise<ReadTask[]> {
  const whole: ReadTask = { file: index, name: file.name, path: file.path, stream: file.stream, from: 0, to: Number.POSITIVE_INFINITY };
  if (!split || file.stream || file.size < 2 * SPLIT_BYTES) return [whole];
  const access = await openFile(file.path);
  try {
    const head = await access.read(0, Math.min(HEAD_BYTES, access.size));
    const opening = sniffCompression(head.subarray(0, SNIFF_BYTES)) === "none" ? openingOf(head) : undefined;
    if (opening === undefined) return [whole];
    const pieces = Math.ceil(access.size / SPLIT_BYTES);
    return Array.from({ length: pieces }, (_, piece) => ({
      ...whole,
      from: piece * SPLIT_BYTES,
      to: Math.min(access.size, (piece + 1) * SPLIT_BYTES),
      opening,
    }));
  } finally {
    await access.close();
  }
}

/**
 * Divides files into tasks: large plain files into line-aligned parts of 32 MiB, so that all readers finish together; other
 * files whole, the larger first. `unsplit` names files (by place) that must be read in one go.
 */
export async function planTasks(files: readonly LogFile[], threads: number, unsplit: ReadonlySet<number>): Promise<ReadTask[]> {
  const tasks: ReadTask[][] = [];
  for (const [index, file] of files.entries()) {
    // A file that vanished meanwhile is its reader's to report.
    tasks.push(await fileTasks(file, index, threads > 1 && !unsplit.has(index)).catch(() => fileTasks(file, index, false)));
  }
  const sizes = files.map((file) => file.size);
  return tasks
    .flat()
    .sort((a, b) => Number(b.to === Number.POSITIVE_INFINITY) - Number(a.to === Number.POSITIVE_INFINITY) || order(a, b, sizes));
}

function order(a: ReadTask, b: ReadTask, sizes: readonly number[]): number {
  return a.file === b.file ? a.from - b.from : (sizes[b.file] ?? 0) - (sizes[a.file] ?? 0) || a.file - b.file;
}
