import type { RunningServer } from "../index.js";

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, looked into freely; another type as text; undefined: nothing. */
  readonly body: ReturnType<JSON["parse"]>;
}

/** Asks a server, with a body as it is or to be written as JSON. */
export async function ask(
  server: RunningServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(server.url + path, { method, headers, ...(sent !== undefined && { body: sent }) });
  const text = await response.text();
  const isJson = /^application\/(?:\w+\+)?json\b/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : isJson ? JSON.parse(text) : text };
}
