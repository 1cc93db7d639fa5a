import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Context } from "./context.js";

/** Counts requests and runs, and shows them to Prometheus. */
export function addMetrics(app: FastifyInstance, { manager }: Context): void {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: "heliograph_" });
  const requests = new Histogram({
    name: "heliograph_http_request_seconds",
    help: "Time to answer a request",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const problems = new Counter({
    name: "heliograph_http_problems_total",
    help: "Requests answered with a problem",
    labelNames: ["status"],
    registers,
  });
  new Gauge({
    name: "heliograph_runs_active",
    help: "Runs under way or waiting",
    registers,
    collect() {
      this.set(manager.active);
    },
  });
  app.addHook("onResponse", async (request, reply) => {
    // The route's pattern, never the path: labels must be few, whatever is asked for.
    const labels = { method: request.method, route: request.routeOptions.url ?? "unknown", status: String(reply.statusCode) };
    requests.observe(labels, reply.elapsedTime / 1000);
    if (reply.statusCode >= 400) problems.inc({ status: labels.status });
  });
  app.get("/metrics", { schema: { hide: true } }, async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
