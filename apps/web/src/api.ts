/** What went wrong, in the server's words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** The parameter that is wrong, and the whole answer. */
  readonly parameter: string | undefined;
  readonly answer: unknown;

  constructor(message: string, status: number, parameter: string | undefined, answer: unknown) {
    super(message);
    this.status = status;
    this.parameter = parameter;
    this.answer = answer;
  }
}

const KEY = "heliograph-key";

/** The API key that the user gave, for this tab. */
export const apiKey = {
  get: (): string => sessionStorage.getItem(KEY) ?? "",
  set: (key: string): void => (key === "" ? sessionStorage.removeItem(KEY) : sessionStorage.setItem(KEY, key)),
};

const headers = (): Record<string, string> => (apiKey.get() === "" ? {} : { "x-api-key": apiKey.get() });

/** Asks the API that this page was served by. @throws ApiError */
export async function ask<Answer>(
  path: string,
  { method = "GET", body, signal }: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(base() + path.replace(/^\//, ""), {
      method,
      headers: headers(),
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError("the server does not answer; is it still running?", 0, undefined, undefined);
  }
  const text = await response.text();
  const answer: unknown = text === "" ? undefined : parsed(text);
  if (response.ok) return answer as Answer;
  const problem = (typeof answer === "object" && answer !== null ? answer : {}) as {
    detail?: string;
    message?: string;
    parameter?: string;
  };
  const message =
    response.status === 401
      ? "the server wants an API key: give one under Settings"
      : (problem.detail ?? problem.message ?? `the server answered ${response.status}`);
  throw new ApiError(message, response.status, problem.parameter, answer);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The server's root, above this page. */
export const base = (): string => new URL(".", location.href).pathname;

/** Address of a download, which a link may go to. */
export const download = async (path: string, name: string): Promise<void> => {
  const response = await fetch(base() + path.replace(/^\//, ""), { headers: headers() });
  if (!response.ok) throw new ApiError(`the server answered ${response.status}`, response.status, undefined, undefined);
  saveAs(await response.blob(), name);
};

/** Gives a file to the user. */
export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export interface ParameterSpec {
  readonly name: string;
  readonly type: "number" | "integer" | "integers" | "spans" | "weights" | "services";
  readonly description: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
}

export interface SearchInfo {
  readonly name: string;
  /** Below /api/searches. */
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly ParameterSpec[];
}

export interface Run {
  readonly id: string;
  readonly search: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly progress: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly beaconCount: number;
  readonly summary: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  readonly logFile: string;
}

/** A beacon as tables show it. */
export interface ListedBeacon {
  readonly n: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
  readonly score: number;
  readonly name: string;
  readonly connectionCount: number;
  readonly firstOccurrence: string;
  readonly lastOccurrence: string;
  readonly severity: string | null;
  readonly summary: string | null;
  readonly labels: readonly string[];
  readonly intervalMinutes: number;
  /** In percent of the interval. */
  readonly jitterPercent: number | null;
  readonly prevalence: number;
  /** Connections over time. */
  readonly timeline: readonly number[];
  /** The family of beacons that behave like it; null: none, or not looked for. */
  readonly family: number | null;
}

interface Histogram {
  readonly from: number | string;
  readonly to: number | string;
  readonly counts: readonly number[];
}

/** A beacon with its evidence. */
export interface Beacon
  extends Omit<
    ListedBeacon,
    "severity" | "summary" | "labels" | "intervalMinutes" | "jitterPercent" | "prevalence" | "timeline" | "family"
  > {
  readonly evidence: Readonly<Record<string, unknown>> & {
    readonly names: readonly string[];
    readonly prevalence: number;
    readonly modes: readonly { readonly medianMinutes: number; readonly share: number; readonly jitterPercent: number }[];
    readonly intervalMinutes: Histogram & { readonly from: number; readonly to: number };
    readonly timeline: Histogram & { readonly from: string; readonly to: string };
    readonly all: Readonly<Record<string, number | string>>;
    readonly summary?: string;
    readonly labels?: readonly string[];
    readonly severity?: string;
    readonly signs?: Readonly<Record<string, number | null>>;
    readonly payload?: unknown;
    readonly family?: { readonly id: number };
  };
}

/** One connection of a beacon. */
export interface Connection {
  readonly time: string;
  readonly originPort: number | null;
  readonly durationSeconds: number | null;
  readonly bytesUp: number | null;
  readonly bytesDown: number | null;
  readonly state: string | null;
}

/** What tables show of a beacon with its evidence. */
export function listed(beacon: Beacon): ListedBeacon {
  const { evidence, ...rest } = beacon;
  const [mode] = evidence.modes;
  return {
    ...rest,
    severity: evidence.severity ?? null,
    summary: evidence.summary ?? null,
    labels: evidence.labels ?? [],
    intervalMinutes: Number(evidence["medianMinutes"]),
    jitterPercent: mode?.jitterPercent ?? null,
    prevalence: evidence.prevalence,
    timeline: evidence.timeline.counts,
    family: evidence.family?.id ?? null,
  };
}
