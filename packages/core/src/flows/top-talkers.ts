import type { Flow } from "./flow.js";

/** How often a source connected to a port of a destination, over all protocols. */
export interface Talker {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  /** Duplicates dropped. */
  readonly connectionCount: number;
}

/** The order of texts by code unit. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Connections descending, then source, destination and port. */
export function compareTalkers(a: Talker, b: Talker): number {
  return b.connectionCount - a.connectionCount || byText(a.source, b.source) || byText(a.destination, b.destination) || a.port - b.port;
}

/** Counts the connections of each (source, destination, port). Holds one entry for each of them. */
export class TalkerCount {
  readonly #talkers = new Map<string, Talker>();

  add({ source, destination, port, times }: Pick<Flow, "source" | "destination" | "port" | "times">): void {
    const key = JSON.stringify([source, destination, port]);
    const before = this.#talkers.get(key)?.connectionCount ?? 0;
    this.#talkers.set(key, { source, destination, port, connectionCount: before + times.length });
  }

  /** The `count` with most connections. */
  top(count: number): Talker[] {
    return [...this.#talkers.values()].sort(compareTalkers).slice(0, count);
  }
}
