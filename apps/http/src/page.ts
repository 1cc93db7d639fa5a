import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** No script but the page's own, nothing from elsewhere; WebAssembly is what reads logs in the browser. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const YEAR_SECONDS = 31_536_000;

/** Where the built page lies; undefined where it was not built. */
function pageFolder(): string | undefined {
  const folder = join(dirname(fileURLToPath(import.meta.resolve("@heliograph/web/package.json"))), "dist");
  return existsSync(join(folder, "index.html")) ? folder : undefined;
}

/** Serves the page at `/` and `/local/`. */
export async function addPage(app: FastifyInstance): Promise<void> {
  const root = pageFolder();
  if (root === undefined) return;
  for (const [prefix, decorateReply] of [
    ["/", true],
    ["/local/", false],
  ] as const) {
    await app.register(fastifyStatic, {
      root,
      prefix,
      decorateReply,
      wildcard: false,
      cacheControl: false,
      schemaHide: true,
      setHeaders(response, path) {
        // Files of the build have their hash in their names.
        const isNamed = path.includes(join(root, "assets"));
        response.setHeader("cache-control", isNamed ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache");
        response.setHeader("content-security-policy", POLICY);
      },
    });
  }
  app.get("/local", { schema: { hide: true } }, async (_, reply) => reply.redirect("/local/"));
}
