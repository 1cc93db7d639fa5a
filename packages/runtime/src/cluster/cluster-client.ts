import { setTimeout as wait } from "node:timers/promises";

/** Kinds of clusters. */
export const CLUSTER_KINDS = ["elasticsearch", "opensearch", "security-onion"] as const;
export type ClusterKind = (typeof CLUSTER_KINDS)[number];

/** How to reach a cluster. */
export interface ClusterAddress {
  readonly kind: ClusterKind;
  /** `https://host:9200`. */
  readonly url: string;
  /** PEM of the authority that signed the cluster's certificate; default: those that the system trusts. */
  readonly ca?: string;
  /** Default true. */
  readonly verify?: boolean;
  /** An API key, or a name and a password as `{ username, password }`. */
  readonly credentials?: string | { readonly username: string; readonly password: string };
}

/** What a cluster was asked and refused, or could not do; the message is for people. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly status: number;
  /** Elasticsearch's type of the error. */
  readonly type: string;

  constructor(message: string, status: number, type: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.type = type;
  }
}

/** A question to a cluster. */
export interface ClusterRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** A cluster that answers, by its maker's own client. */
export interface ClusterClient {
  readonly kind: ClusterKind;
  /** @throws ClusterError */
  request<Answer>(request: ClusterRequest, signal?: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

/** How often and how patiently a busy cluster is asked again. */
export interface Patience {
  readonly tries: number;
  readonly firstMs: number;
  /** Longest wait for an answer. */
  readonly timeoutMs: number;
}

export const PATIENCE: Patience = { tries: 6, firstMs: 500, timeoutMs: 120_000 };
const BUSY = new Set([429, 502, 503, 504]);

/** Sends one request through a client; what it throws may have `statusCode` and a body. */
type Send = (request: ClusterRequest, signal: AbortSignal | undefined) => Promise<unknown>;

interface Refusal {
  readonly status?: number;
  readonly error?:
    | {
        readonly type?: string;
        readonly reason?: string;
        readonly root_cause?: readonly { readonly type?: string; readonly reason?: string }[];
      }
    | string;
}

/** What a client threw, in words. */
function errorOf(cause: unknown, url: string): ClusterError {
  if (cause instanceof ClusterError) return cause;
  const { meta, statusCode, message, name } = cause as {
    meta?: { statusCode?: number; body?: unknown };
    statusCode?: number;
    message?: string;
    name?: string;
  };
  // What the server answered, not what a body says that it did.
  const status = meta?.statusCode ?? statusCode ?? 0;
  const body = meta?.body as Refusal | undefined;
  const error = typeof body?.error === "object" ? body.error : undefined;
  const type = error?.root_cause?.[0]?.type ?? error?.type ?? name ?? "unknown";
  const reason =
    error?.root_cause?.[0]?.reason ??
    error?.reason ??
    (typeof body?.error === "string" ? body.error : undefined) ??
    message ??
    "no reason was given";
  if (type === "circuit_breaking_exception")
    return new ClusterError(
      `the cluster's memory breaker refused (${reason}); give its nodes more heap, or hunt in shorter time ranges`,
      status,
      type,
      { cause },
    );
  if (status === 401 || status === 403) return new ClusterError(`the cluster refused the credentials (${reason})`, status, type, { cause });
  if (status === 0) return new ClusterError(`${url} does not answer: ${reason}`, 503, type, { cause });
  return new ClusterError(`the cluster answered ${status}: ${reason}`, status, type, { cause });
}

interface Shards {
  readonly timed_out?: boolean;
  readonly _shards?: {
    readonly total: number;
    readonly failed: number;
    readonly failures?: readonly { readonly reason?: { readonly reason?: string } }[];
  };
}

/** @throws ClusterError for an answer that some shards did not take part in: half a truth is none */
function checkWhole(answer: unknown): void {
  if (typeof answer !== "object" || answer === null) return;
  const { timed_out, _shards } = answer as Shards;
  if (timed_out) throw new ClusterError("the cluster ran out of time and answered in part", 504, "timeout");
  if (_shards && _shards.failed > 0) {
    const reason = _shards.failures?.[0]?.reason?.reason ?? "no reason was given";
    throw new ClusterError(`${_shards.failed} of ${_shards.total} shards failed: ${reason}`, 503, "partial_answer");
  }
}

/** A client that asks again while a cluster is busy, and takes no half answers. */
class PatientClient implements ClusterClient {
  readonly kind: ClusterKind;
  readonly #url: string;
  readonly #send: Send;
  readonly #end: () => Promise<void>;
  readonly #patience: Patience;

  constructor({ kind, url }: ClusterAddress, send: Send, end: () => Promise<void>, patience: Patience) {
    this.kind = kind;
    this.#url = new URL(url).host;
    this.#send = send;
    this.#end = end;
    this.#patience = patience;
  }

  async request<Answer>(request: ClusterRequest, signal?: AbortSignal): Promise<Answer> {
    for (let left = this.#patience.tries, pause = this.#patience.firstMs; ; left--, pause *= 2) {
      signal?.throwIfAborted();
      try {
        const answer = await this.#send(request, signal);
        checkWhole(answer);
        return answer as Answer;
      } catch (cause) {
        signal?.throwIfAborted();
        const error = errorOf(cause, this.#url);
        if (left <= 1 || !BUSY.has(error.status)) throw error;
        // Not all at the same moment.
        await wait(pause * (0.5 + Math.random()), undefined, signal ? { signal } : undefined);
      }
    }
  }

  close(): Promise<void> {
    return this.#end();
  }
}

/** Connects to a cluster; nothing is asked yet. */
export async function connectCluster(address: ClusterAddress, patience: Patience = PATIENCE): Promise<ClusterClient> {
  const { kind, url, ca, verify = true, credentials } = address;
  const tls = { rejectUnauthorized: verify, ...(ca !== undefined && { ca }) };
  const basic = typeof credentials === "object" ? credentials : undefined;
  const key = typeof credentials === "string" ? credentials : undefined;
  if (kind === "opensearch") {
    const { Client } = await import("@opensearch-project/opensearch");
    const client = new Client({
      node: url,
      ssl: tls,
      requestTimeout: patience.timeoutMs,
      maxRetries: 0,
      ...(basic && { auth: basic }),
      ...(key !== undefined && { headers: { authorization: `ApiKey ${key}` } }),
    });
    const send: Send = async ({ method, path, query, body }, signal) => {
      const asked = client.transport.request({ method, path, ...(query && { querystring: query }), ...(body && { body }) });
      // This client throws into nowhere when a request of its is aborted: one that nobody waits for is left to its end instead.
      const answer = Promise.resolve(asked.then(({ body: own }) => own as unknown));
      if (!signal) return answer;
      answer.catch(() => undefined);
      let stop: () => void = () => undefined;
      const stopped = new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason as Error);
        signal.addEventListener("abort", stop, { once: true });
      });
      return Promise.race([answer, stopped]).finally(() => signal.removeEventListener("abort", stop));
    };
    return new PatientClient(address, send, () => client.close(), patience);
  }
  const { Client } = await import("@elastic/elasticsearch");
  const client = new Client({
    node: url,
    tls,
    requestTimeout: patience.timeoutMs,
    maxRetries: 0,
    ...(basic && { auth: basic }),
    ...(key !== undefined && { auth: { apiKey: key } }),
  });
  const send: Send = ({ method, path, query, body }, signal) =>
    client.transport.request({ method, path, ...(query && { querystring: query }), ...(body && { body }) }, signal ? { signal } : {});
  return new PatientClient(address, send, () => client.close(), patience);
}
