import type { Beacon } from "../api.js";

/** What the page tells its worker. */
export interface LocalOrder {
  readonly files: readonly File[];
  readonly searches: readonly string[];
}

/** What the worker tells the page. */
export type LocalMessage =
  | { readonly kind: "progress"; readonly bytes: number }
  | {
      readonly kind: "done";
      readonly searches: readonly { readonly name: string; readonly beacons: readonly Beacon[] }[];
      readonly rows: number;
      readonly groups: number;
      readonly problems: readonly string[];
      readonly seconds: number;
    }
  | { readonly kind: "failed"; readonly message: string };
