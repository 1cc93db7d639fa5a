import type { Entry, FileEntry, ZipReader } from "@zip.js/zip.js";
import { CoreError } from "../errors.js";
import type { RandomAccess } from "./bytes.js";
import { type ArchiveLimits, ExpansionGuard } from "./limits.js";

/** One file of an archive. The name is a label: never use it as a path. */
export interface ZipEntry {
  readonly name: string;
  /** Its bytes, once; throws CoreError `encrypted`, `damaged` or `archive-limit`. */
  open(): AsyncGenerator<Uint8Array>;
}

function isFile(entry: Entry): entry is FileEntry {
  return !entry.directory;
}

async function* entryBytes(entry: FileEntry, label: string, limits: ArchiveLimits): AsyncGenerator<Uint8Array> {
  if (entry.encrypted) throw new CoreError("encrypted", "is encrypted; decrypt the archive first", { source: label });
  const guard = new ExpansionGuard(limits, label);
  guard.read(entry.compressedSize);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  let failure: unknown;
  const done = entry.getData(writable, { checkCrc32: true, checkOverlappingEntry: true, useWebWorkers: false }).catch((cause: unknown) => {
    failure = cause;
  });
  const reader = readable.getReader();
  try {
    for (;;) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      guard.wrote(value.length);
      yield value;
    }
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    failure ??= cause;
  } finally {
    // A caller that stops early, or a limit, stops the inflating too.
    await reader.cancel().catch(() => undefined);
    await done;
  }
  if (failure !== undefined) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new CoreError("damaged", `the archive entry is corrupt (${reason})`, { source: label, cause: failure });
  }
}

/**
 * The files of a zip archive, from its central directory.
 * @throws CoreError `damaged` when it is no readable archive, `archive-limit` when it has too many entries
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export async function zipEntries(archive: RandomAccess, limits: ArchiveLimits, source: string): Promise<ZipEntry[]> {
  const { Reader, ZipReader: Zip } = await import("@zip.js/zip.js");
  class ArchiveReader extends Reader<RandomAccess> {
    override size = archive.size;
    override readUint8Array(offset: number, length: number): Promise<Uint8Array> {
      return archive.read(offset, Math.min(length, archive.size - offset));
    }
  }
  const zip: ZipReader<RandomAccess> = new Zip(new ArchiveReader(archive), { filenameValidation: "tolerant" });
  const entries: ZipEntry[] = [];
  let seen = 0;
  try {
    for await (const entry of zip.getEntriesGenerator()) {
      if (++seen > limits.maxEntries) throw new CoreError("archive-limit", `has more than ${limits.maxEntries} entries`, { source });
      if (!isFile(entry)) continue;
      const label = `${source}!${entry.filename}`;
      entries.push({ name: entry.filename, open: () => entryBytes(entry, label, limits) });
    }
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CoreError("damaged", `is not a readable zip archive (${reason})`, { source, cause });
  }
  return entries;
}
