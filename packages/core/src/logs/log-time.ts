const pad = (value: number, length: number): string => String(value).padStart(length, "0");

/** Writes times as the documents of the log indexes have them: `2021-07-15 17:20:18.181152`, in UTC. */
export class LogTimeWriter {
  #second = Number.NaN;
  #text = "";

  /** @param micros microseconds since 1970-01-01 UTC, whole */
  write(micros: number): string {
    const second = Math.floor(micros / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      const date = new Date(second * 1000);
      this.#text = `${date.toISOString().slice(0, -5).replace("T", " ")}.`;
    }
    return this.#text + pad(micros - second * 1e6, 6);
  }
}
