import { gzipSync } from "node:zlib";
import { CoreError, defaultArchiveLimits, type Gunzip, gunzip } from "@heliograph/core";
import { describe, expect, it } from "vitest";
import { nodeGunzip } from "./node-gunzip.js";

const text = Array.from({ length: 60_000 }, (_, i) => `row ${i} ${(i * 7919) % 10_007}\n`).join("");
const whole = gzipSync(text);
const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const corrupt = new Uint8Array(whole);
corrupt[whole.length >> 1] = (corrupt[whole.length >> 1] ?? 0) ^ 255;

async function inflate(how: Gunzip, data: Uint8Array, size: number): Promise<{ text: string; code: string | undefined }> {
  const chunks = {
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
    },
  };
  let out = "";
  try {
    for await (const chunk of how(chunks, defaultArchiveLimits, "in")) out += Buffer.from(chunk).toString("latin1");
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    return { text: out, code: cause.code };
  }
  return { text: out, code: undefined };
}

describe("Node's gunzip and the engine's", () => {
  it.each([
    ["one member", whole, undefined],
    ["several members with padding", join(whole, new Uint8Array(5), gzipSync("two\n"), new Uint8Array(1000)), undefined],
    ["an empty member", gzipSync(""), undefined],
    ["a truncated member", whole.subarray(0, whole.length - 9), "truncated"],
    ["one cut in the middle", whole.subarray(0, whole.length >> 1), "truncated"],
    ["a truncated second member", join(whole, gzipSync(text).subarray(0, 500)), "truncated"],
    ["something else behind a member", join(whole, Buffer.from("junk")), "damaged"],
    ["corrupt data", corrupt, "damaged"],
    ["a bomb", gzipSync(Buffer.alloc(40_000_000)), "archive-limit"],
  ])("agree on %s", async (_, data, code) => {
    const expected = await inflate(gunzip, data, 1e9);
    expect(expected.code).toBe(code);
    for (const size of [1000, 200_000, 1e9]) {
      const got = await inflate(nodeGunzip, data, size);
      expect(got.code).toBe(code);
      // A bomb is stopped where a chunk ends, which differs.
      if (code !== "archive-limit") expect(got.text === expected.text).toBe(true);
    }
  });
});
