import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

/** What every error looks like: RFC 9457, with the parameter that is wrong and the request's id. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly parameter?: string;
  readonly request_id: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** An error with a status, for a caller to read. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly statusCode: number;
  readonly parameter: string | undefined;

  constructor(statusCode: number, message: string, parameter?: string) {
    super(message);
    this.statusCode = statusCode;
    this.parameter = parameter;
  }
}

/** Sends a problem. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  detail: string,
  parameter?: string,
): FastifyReply {
  const problem: Problem = {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail,
    ...(parameter && { parameter }),
    request_id: request.id,
  };
  return reply.code(status).type("application/problem+json").send(JSON.stringify(problem));
}

/** The parameter that a schema was not met by, and how. */
function validationProblem({ validation = [], validationContext }: FastifyError): { detail: string; parameter: string } {
  const [first] = validation;
  const params = (first?.params ?? {}) as Record<string, unknown>;
  const own = String(params["additionalProperty"] ?? params["missingProperty"] ?? "");
  const path = (first?.instancePath ?? "").slice(1).replaceAll("/", ".");
  const parameter = [path, own].filter((part) => part !== "").join(".");
  const allowed = Array.isArray(params["allowedValues"]) ? `: ${params["allowedValues"].join(", ")}` : "";
  const reason = "additionalProperty" in params ? "is no parameter of this call" : `${first?.message ?? "is wrong"}${allowed}`;
  const shown = "missingProperty" in params ? "is missing" : reason;
  return { detail: `${parameter === "" ? `the ${validationContext ?? "request"}` : parameter} ${shown}`, parameter };
}

/** Turns what a handler threw into a problem; what is no caller's fault is logged and told without its inside. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.validation) {
    const { detail, parameter } = validationProblem(error);
    return sendProblem(request, reply, 400, detail, parameter);
  }
  const status = error.statusCode ?? 500;
  if (status < 500 || error instanceof HttpError)
    return sendProblem(request, reply, status, error.message, error instanceof HttpError ? error.parameter : undefined);
  request.log.error({ err: error }, "request failed");
  return sendProblem(request, reply, 500, "something went wrong here; the server's log has more under the request's id");
}
