import { CoreError } from "../errors.js";
import { type ByteChunks, chunksOf, type RandomAccess, randomAccess } from "./bytes.js";
import { gunzip } from "./gzip.js";
import { type ArchiveLimits, defaultArchiveLimits } from "./limits.js";
import { type Compression, SNIFF_BYTES, sniffCompression } from "./sniff.js";
import { zipEntries } from "./zip.js";
import { unzstd } from "./zstd.js";

/** A source of log bytes, packed or not. */
export interface LogInput {
  /** What reports call it. */
  readonly name: string;
  /** Bytes in memory, a Blob or File, something that can be read at any place, or a stream of chunks. */
  readonly data: Uint8Array | Blob | RandomAccess | ByteChunks;
}

/** One log inside a source: the source itself, or an entry of an archive. */
export interface LogPart {
  /** The source's name; for an archive entry `archive.zip!entry`. */
  readonly name: string;
  readonly compression: Compression;
  /** Its plain bytes, once; throws CoreError after everything readable was yielded. */
  readonly chunks: AsyncGenerator<Uint8Array>;
}

/**
 * Expands gzip, as `gunzip` of this package does; a runtime may have a faster one. It is used where the chunks can be
 * iterated again from the start, so that it can leave damaged data to `gunzip`.
 */
export type Gunzip = (chunks: ByteChunks, limits: ArchiveLimits, source: string) => AsyncGenerator<Uint8Array>;

/** How to open sources. */
export interface OpenOptions {
  readonly limits?: Partial<ArchiveLimits>;
  readonly gunzip?: Gunzip;
  /** Which archive entries to read, by name; when it picks none, all are read. Default: all. */
  readonly select?: (name: string) => boolean;
}

// A stream of Node's is iterable and has a `read` of its own.
const isRandomAccess = (data: LogInput["data"]): data is RandomAccess => !(Symbol.asyncIterator in data);

/** Joins the first chunks until `bytes` are there; gives them and all chunks again. */
async function peek(chunks: ByteChunks, bytes: number): Promise<{ head: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
  const iterator = (async function* () {
    yield* chunks;
  })();
  let head = new Uint8Array(0);
  while (head.length < bytes) {
    const { value, done } = await iterator.next();
    if (done) break;
    const joined = new Uint8Array(head.length + value.length);
    joined.set(head);
    joined.set(value, head.length);
    head = joined;
  }
  const all = (async function* () {
    try {
      if (head.length > 0) yield head;
      yield* iterator;
    } finally {
      await iterator.return(undefined);
    }
  })();
  return { head, all };
}

/** Bytes that a zip on a stream may have: its directory stands at the end, so all of it is held. */
const MAX_STREAMED_ZIP = 2 ** 30;

async function collect(chunks: ByteChunks, source: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_STREAMED_ZIP) {
      throw new CoreError("archive-limit", "a zip archive of more than 1 GiB cannot be read from a stream; give it as a file", { source });
    }
    parts.push(chunk.slice());
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const isHidden = (name: string): boolean => name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");

/**
 * Opens a source: recognises gzip, zip and zstd by content, also gzip and zstd inside zip, and yields its logs one
 * after another. Read each part to its end before the next one is asked for.
 * @throws CoreError when an archive's directory cannot be read; a part's own errors come from its chunks
 */
export async function* openLog(input: LogInput, options: OpenOptions = {}): AsyncGenerator<LogPart> {
  const limits: ArchiveLimits = { ...defaultArchiveLimits, ...options.limits };
  const { name, data } = input;
  const seekable = data instanceof Uint8Array || data instanceof Blob ? randomAccess(data) : isRandomAccess(data) ? data : undefined;
  if (seekable) {
    const compression = sniffCompression(await seekable.read(0, Math.min(SNIFF_BYTES, seekable.size)));
    // What can be read again lets a faster gunzip start over where it fails.
    const again = { [Symbol.asyncIterator]: () => chunksOf(seekable) };
    if (compression === "zip") yield* openZip(seekable, limits, name, options);
    else yield { name, compression, chunks: expand(again, compression, limits, name, options.gunzip) };
    return;
  }
  const { head, all } = await peek(data as ByteChunks, SNIFF_BYTES);
  const compression = sniffCompression(head);
  if (compression === "zip") yield* openZip(randomAccess(await collect(all, name)), limits, name, options);
  else yield { name, compression, chunks: expand(all, compression, limits, name) };
}

async function* openZip(archive: RandomAccess, limits: ArchiveLimits, name: string, options: OpenOptions): AsyncGenerator<LogPart> {
  const entries = (await zipEntries(archive, limits, name)).filter((entry) => !isHidden(entry.name));
  const selected = entries.filter((entry) => options.select?.(entry.name) ?? true);
  for (const entry of selected.length > 0 ? selected : entries) {
    const part = `${name}!${entry.name}`;
    yield { name: part, compression: "zip", chunks: entryChunks(entry.open(), limits, part) };
  }
}

async function* entryChunks(bytes: ByteChunks, limits: ArchiveLimits, name: string): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(bytes, SNIFF_BYTES);
  const inner = sniffCompression(head);
  if (inner === "zip") throw new CoreError("damaged", "an archive inside an archive is not read; unpack the outer one", { source: name });
  yield* expand(all, inner, limits, name);
}

async function* expand(
  chunks: ByteChunks,
  compression: Compression,
  limits: ArchiveLimits,
  name: string,
  inflate: Gunzip = gunzip,
): AsyncGenerator<Uint8Array> {
  if (compression === "gzip") yield* inflate(chunks, limits, name);
  else if (compression === "zstd") yield* unzstd(chunks, limits, name);
  else yield* chunks;
}
