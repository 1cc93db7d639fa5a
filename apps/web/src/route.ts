import { useSyncExternalStore } from "react";

/** Where the page is: parts of the path behind #, and the parameters behind it. */
export interface Place {
  readonly parts: readonly string[];
  readonly params: URLSearchParams;
}

const listen = (changed: () => void): (() => void) => {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
};

const parse = (hash: string): Place => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), params: new URLSearchParams(query) };
};

/** The current place. */
export function usePlace(): Place {
  return parse(useSyncExternalStore(listen, () => location.hash));
}

/** The address of a place on this page. */
export function href(parts: readonly string[], params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "")).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`;
}

/** Changes the parameters of the current place without a step back. */
export function setParams(params: Readonly<Record<string, string>>): void {
  const { parts } = parse(location.hash);
  history.replaceState(undefined, "", href(parts, params));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
