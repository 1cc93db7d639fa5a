import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const HEADER = "#separator \\x09\n#set_separator\t,\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";

/** Rows of one flow with a gap in minutes. */
function rows(source: string, destination: string, minutes: number, count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `${1_700_000_000 + i * minutes * 60}.250000\t${source}\t${i}\t${destination}\t443\ttcp\n`,
  ).join("");
}

/**
 * A folder with logs to serve: `logs` (a quick and a detailed beacon, dns beside), `broken` (no readable row), `empty`, `big` (many
 * rows), a link out of it, and a secret beside it.
 */
export function makeOffice(): { readonly root: string; readonly secret: string } {
  const folder = mkdtempSync(join(tmpdir(), "office-"));
  const root = join(folder, "root");
  for (const name of ["root", "root/logs", "root/broken", "root/empty", "root/big"]) mkdirSync(join(folder, name));
  const log =
    HEADER + rows("10.0.0.1", "192.0.2.1", 10, 100) + rows("10.0.0.2", "192.0.2.2", 45, 60) + rows("10.0.0.3", "192.0.2.3", 10, 3);
  writeFileSync(join(root, "logs", "conn.log"), log);
  writeFileSync(
    join(root, "logs", "dns.log"),
    "#path\tdns\n#fields\tts\tid.orig_h\tquery\tanswers\n1600000000.0\t10.0.0.1\tc2.example\t192.0.2.1\n",
  );
  writeFileSync(join(root, "broken", "conn.log"), "this is no log\nat all\n");
  const many = Array.from({ length: 400 }, (_, i) => rows(`10.1.${i >> 8}.${i & 255}`, "192.0.2.9", 1, 500)).join("");
  writeFileSync(join(root, "big", "conn.log.gz"), gzipSync(HEADER + many, { level: 1 }));
  const secret = join(folder, "secret");
  mkdirSync(secret);
  writeFileSync(join(secret, "conn.log"), log);
  symlinkSync(secret, join(root, "way-out"));
  return { root, secret };
}
