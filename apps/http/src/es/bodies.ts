import type { IncomingMessage } from "node:http";
import { createGunzip, createInflate } from "node:zlib";
import { QueryError } from "@heliograph/core/query";
import type { FastifyInstance, FastifyRequest } from "fastify";

/** Bytes of an unpacked body, at most. */
const MOST_BYTES = 100 << 20;

function tooLarge(): QueryError {
  return new QueryError("content_too_long_exception", `the body is longer than ${MOST_BYTES} bytes`, { status: 413 });
}

async function collected(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > MOST_BYTES) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The body of a request as text, unpacked when it is packed. */
async function read(raw: IncomingMessage, encoding: string | undefined): Promise<string> {
  if (encoding === undefined || encoding === "" || encoding === "identity") return collected(raw);
  if (encoding !== "gzip" && encoding !== "deflate")
    throw new QueryError("illegal_argument_exception", `the content encoding [${encoding.slice(0, 40)}] is not supported: send gzip`, {
      status: 415,
    });
  const unpack = encoding === "gzip" ? createGunzip() : createInflate();
  try {
    return await collected(raw.pipe(unpack));
  } catch (cause) {
    if (cause instanceof QueryError) throw cause;
    throw new QueryError("parse_exception", "the body cannot be unpacked", { cause });
  }
}

/** Hands routes their bodies as text, whatever type and method they come with. */
export function readTextBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { bodyLimit: MOST_BYTES }, (request, payload, done) => {
    read(payload as IncomingMessage, request.headers["content-encoding"]).then(
      (text) => done(null, text),
      (cause: Error) => done(cause),
    );
  });
  app.addHook("preHandler", async (request) => {
    // A search may come as GET with a body.
    if (request.method === "GET" && hasBody(request)) request.body = await read(request.raw, request.headers["content-encoding"]);
  });
}

const hasBody = (request: FastifyRequest): boolean =>
  Number(request.headers["content-length"] ?? 0) > 0 || request.headers["transfer-encoding"] !== undefined;

/** The body as text; the empty text where there is none. */
export const bodyText = (request: FastifyRequest): string => (typeof request.body === "string" ? request.body : "");
