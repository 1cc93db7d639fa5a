import type { Progress } from "@heliograph/runtime";
import { grouped, humanBytes } from "@heliograph/runtime/report";

const WIDTH = 24;

/** A progress line on standard error, while that is a terminal. */
export class ProgressBar {
  readonly #started = performance.now();
  #shown = false;

  /** What to give the hunt; undefined when nobody would see it. */
  static forTerminal(): ProgressBar | undefined {
    return process.stderr.isTTY ? new ProgressBar() : undefined;
  }

  show({ bytes, totalBytes, rows, phase }: Omit<Progress, "rows"> & { readonly rows?: number }): void {
    const seconds = (performance.now() - this.#started) / 1000;
    const share = totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 0;
    const filled = Math.round(share * WIDTH);
    const bar = `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}`;
    const left = share > 0.02 && phase === "reading" ? `  ${Math.ceil((seconds / share) * (1 - share))}s left` : "";
    const rate = rows === undefined ? "" : `  ${grouped(Math.round(rows / seconds))} rows/s`;
    const text = phase === "searching" ? "searching" : `${humanBytes(bytes)} of ${humanBytes(totalBytes)}`;
    process.stderr.write(`\r\u001b[K${bar} ${text}${rate}${left}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) process.stderr.write("\r\u001b[K");
    this.#shown = false;
  }
}
