import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { nameLogType, SNIFF_BYTES, sniffCompression } from "@heliograph/core";
import { findLogs, type LogFile } from "./find-logs.js";

async function isZip(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return sniffCompression(buffer.subarray(0, bytesRead)) === "zip";
  } finally {
    await handle.close();
  }
}

/**
 * The logs that may tell what hosts are called: the dns, ssl and http logs in the folders of connection logs, by the names Zeek
 * gives them, and the archives among the connection logs themselves. Links are not followed.
 */
export async function findNameLogs(files: readonly LogFile[]): Promise<LogFile[]> {
  const plain = files.filter((file) => !file.stream);
  const beside: string[] = [];
  for (const folder of new Set(plain.map((file) => dirname(file.path)))) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isFile() && nameLogType(entry.name) !== undefined) beside.push(join(folder, entry.name));
    }
  }
  const archives: LogFile[] = [];
  for (const file of plain) if (await isZip(file.path).catch(() => false)) archives.push(file);
  const { files: found } = await findLogs(beside.sort());
  return [...found, ...archives];
}
