import { Z_BUF_ERROR, Z_NO_FLUSH, Z_OK, Z_STREAM_END, ZStream, zlibInflate, zlibInflateInit2, zlibInflateReset } from "pako";
import { CoreError } from "../errors.js";
import type { ByteChunks } from "./bytes.js";
import { type ArchiveLimits, ExpansionGuard } from "./limits.js";

const OUT_BYTES = 1 << 18;
/** zlib's "gzip wrapper, 32 KiB window". */
const GZIP_WINDOW = 15 + 16;

/**
 * Inflates gzip of any number of members, as concatenated logs have; zero bytes after a member are padding.
 * @throws CoreError `truncated` when the data ends inside a member, `damaged` when it is corrupt or a member is followed
 *   by something else, `archive-limit`; each only after everything before it was yielded
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export async function* gunzip(chunks: ByteChunks, limits: ArchiveLimits, source: string): AsyncGenerator<Uint8Array> {
  const guard = new ExpansionGuard(limits, source);
  const stream = new ZStream();
  zlibInflateInit2(stream, GZIP_WINDOW);
  let inMember = false;
  let members = 0;
  for await (const chunk of chunks) {
    guard.read(chunk.length);
    stream.input = chunk;
    stream.next_in = 0;
    stream.avail_in = chunk.length;
    while (stream.avail_in > 0) {
      if (!inMember) {
        while (stream.avail_in > 0 && members > 0 && chunk[stream.next_in] === 0) {
          stream.next_in++;
          stream.avail_in--;
        }
        if (stream.avail_in === 0) break;
        zlibInflateReset(stream);
        inMember = true;
      }
      // A fresh buffer each time: what was yielded belongs to the caller.
      stream.output = new Uint8Array(OUT_BYTES);
      stream.next_out = 0;
      stream.avail_out = OUT_BYTES;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (stream.next_out > 0) {
        guard.wrote(stream.next_out);
        yield stream.output.subarray(0, stream.next_out);
      }
      if (status === Z_STREAM_END) {
        inMember = false;
        members++;
      } else if (status !== Z_OK && status !== Z_BUF_ERROR) {
        const reason =
          members > 0 && stream.total_out === 0
            ? "something that is not gzip follows the compressed data"
            : "the compressed data is corrupt";
        throw new CoreError("damaged", `${reason} (${stream.msg || "inflate error"})`, { source });
      }
    }
  }
  if (inMember) throw new CoreError("truncated", "ends in the middle of its compressed data", { source });
}
