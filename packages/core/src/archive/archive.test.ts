import { gzipSync } from "node:zlib";
import { BlobReader, BlobWriter, ZipWriter } from "@zip.js/zip.js";
import { describe, expect, it } from "vitest";
import { CoreError } from "../errors.js";
import { type LogInput, type OpenOptions, openLog } from "./open.js";

const TEXT = Array.from({ length: 400 }, (_, i) => `row ${i} ${(i * 7919) % 1009}\n`).join("");
/** 50 times the line below, packed by the zstd command. */
const ZSTD = Uint8Array.from(atob("KLUv/WRABRUBAMh0cyxzcmMgMTYwIHpzdGQgdGVzdCByb3cKAgAdDvWrC7pcQ22X"), (c) => c.charCodeAt(0));
const ZSTD_TEXT = "ts,src 1600000000 zstd test row\n".repeat(50);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const gzip = (text: string): Uint8Array => new Uint8Array(gzipSync(text));
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

async function* stream(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

interface Opened {
  readonly parts: { name: string; text: string; code: string | undefined }[];
  readonly code: string | undefined;
}

/** Reads every part of a source: its text as far as it goes, and the code of what stopped it. */
async function open(data: LogInput["data"], options: OpenOptions = {}): Promise<Opened> {
  const parts: Opened["parts"] = [];
  try {
    for await (const part of openLog({ name: "in", data }, options)) {
      const decoder = new TextDecoder();
      const read = { name: part.name, text: "", code: undefined as string | undefined };
      parts.push(read);
      try {
        for await (const chunk of part.chunks) read.text += decoder.decode(chunk, { stream: true });
      } catch (cause) {
        if (!(cause instanceof CoreError)) throw cause;
        read.code = cause.code;
      }
    }
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    return { parts, code: cause.code };
  }
  return { parts, code: undefined };
}

async function zip(entries: Readonly<Record<string, Uint8Array>>, password?: string): Promise<Uint8Array> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false, ...(password && { password }) });
  for (const [name, data] of Object.entries(entries)) await writer.add(name, new BlobReader(new Blob([data as Uint8Array<ArrayBuffer>])));
  return new Uint8Array(await (await writer.close()).arrayBuffer());
}

describe("openLog", () => {
  it("passes plain bytes on", async () => {
    expect(await open(bytes(TEXT))).toEqual({ parts: [{ name: "in", text: TEXT, code: undefined }], code: undefined });
    expect((await open(new Uint8Array(0))).parts).toEqual([{ name: "in", text: "", code: undefined }]);
  });

  it.each([1, 2, 3, 10, 100, 1e6])("reads gzip of several members with padding, %d bytes at a time", async (size) => {
    const packed = joined(gzip(TEXT), gzip("second\n"), new Uint8Array(9), gzip(""), gzip("third\n"), new Uint8Array(700));
    expect((await open(stream(packed, size))).parts).toEqual([{ name: "in", text: `${TEXT}second\nthird\n`, code: undefined }]);
  });

  it("keeps what comes before the end of truncated gzip, wherever it ends", async () => {
    const packed = joined(gzip("first\n"), gzip(TEXT));
    const whole = `first\n${TEXT}`;
    for (let length = gzip("first\n").length + 1; length < packed.length; length += 13) {
      const { parts } = await open(packed.subarray(0, length));
      expect(parts[0]?.code).toBe("truncated");
      expect(whole.startsWith(parts[0]?.text ?? "?")).toBe(true);
      expect(parts[0]?.text.length).toBeGreaterThanOrEqual("first\n".length);
    }
  });

  it("keeps what comes before damage and before what is not gzip", async () => {
    expect((await open(joined(gzip(TEXT), bytes("junk")))).parts).toEqual([{ name: "in", text: TEXT, code: "damaged" }]);
    const flipped = gzip(TEXT);
    flipped[flipped.length - 6] = (flipped[flipped.length - 6] ?? 0) ^ 255;
    expect((await open(flipped)).parts).toEqual([{ name: "in", text: TEXT, code: "damaged" }]);
  });

  it.each([1, 7, 1e6])("reads zstd of several frames, %d bytes at a time", async (size) => {
    expect((await open(stream(joined(ZSTD, ZSTD), size))).parts).toEqual([{ name: "in", text: ZSTD_TEXT + ZSTD_TEXT, code: undefined }]);
  });

  it("marks truncated and damaged zstd", async () => {
    expect((await open(ZSTD.subarray(0, -2))).parts[0]?.code).toBe("truncated");
    const damaged = ZSTD.slice();
    damaged.fill(255, 6);
    expect((await open(damaged)).parts[0]?.code).toMatch(/damaged|truncated/);
    const window = ZSTD.slice();
    window[4] = 0;
    window[5] = 255;
    expect((await open(window)).parts[0]?.code).toBe("archive-limit");
  });

  it("reads the entries of a zip, also those packed again, from memory and from a stream", async () => {
    const archive = await zip({
      "a/conn.log": bytes(TEXT),
      "b.log.gz": gzip("inner\n"),
      "c.zst": ZSTD,
      ".hidden": bytes("x"),
      "__MACOSX/a": bytes("x"),
    });
    const expected = [
      { name: "in!a/conn.log", text: TEXT, code: undefined },
      { name: "in!b.log.gz", text: "inner\n", code: undefined },
      { name: "in!c.zst", text: ZSTD_TEXT, code: undefined },
    ];
    expect((await open(archive)).parts).toEqual(expected);
    expect((await open(stream(archive, 50))).parts).toEqual(expected);
    expect((await open(new Blob([archive as Uint8Array<ArrayBuffer>]))).parts).toEqual(expected);
  });

  it("reads the entries that are selected, or all when none is", async () => {
    const archive = await zip({ "conn.log": bytes("1\n"), "dns.log": bytes("2\n") });
    const names = async (select: (name: string) => boolean): Promise<string[]> =>
      (await open(archive, { select })).parts.map((part) => part.name);
    expect(await names((name) => name === "conn.log")).toEqual(["in!conn.log"]);
    expect(await names(() => false)).toEqual(["in!conn.log", "in!dns.log"]);
  });

  it("names of entries are labels, whatever they say", async () => {
    const archive = await zip({ "placeholder.log": bytes("1\n") });
    // The same length, so that every offset stays: a name that would climb out of a folder.
    const hostile = "../../evil/conn";
    const text = String.fromCharCode(...archive).replaceAll("placeholder.log", hostile);
    const renamed = Uint8Array.from(text, (character) => character.charCodeAt(0));
    expect((await open(renamed)).parts.map((part) => part.name)).toEqual([]);
    const absolute = Uint8Array.from(text.replaceAll(hostile, "/etc/cron.d/con"), (character) => character.charCodeAt(0));
    expect((await open(absolute)).parts).toEqual([{ name: "in!/etc/cron.d/con", text: "1\n", code: undefined }]);
  });

  it("refuses encrypted entries, archives inside archives, and what is no archive", async () => {
    expect((await open(await zip({ "a.log": bytes("1\n") }, "secret"))).parts[0]?.code).toBe("encrypted");
    expect((await open(await zip({ "a.zip": await zip({ "b.log": bytes("1\n") }) }))).parts[0]?.code).toBe("damaged");
    expect((await open(joined(Uint8Array.of(0x50, 0x4b, 3, 4), bytes("junk")))).code).toBe("damaged");
    const broken = await zip({ "a.log": bytes(TEXT) });
    broken.fill(0x55, 60, 90);
    expect((await open(broken)).parts[0]?.code).toBe("damaged");
  });

  it("stops at the limits", async () => {
    const bomb = gzip("\0".repeat(40_000_000));
    expect((await open(bomb)).parts[0]?.code).toBe("archive-limit");
    expect((await open(bomb, { limits: { maxRatio: 1e9 } })).parts[0]?.code).toBeUndefined();
    expect((await open(gzip(TEXT), { limits: { maxBytes: 1000 } })).parts[0]?.code).toBe("archive-limit");
    expect((await open(ZSTD, { limits: { maxBytes: 100 } })).parts[0]?.code).toBe("archive-limit");
    const archive = await zip({ "a.log": bytes(TEXT), "b.log": bytes("\0".repeat(40_000_000)) });
    expect((await open(archive, { limits: { maxEntries: 1 } })).code).toBe("archive-limit");
    expect((await open(archive)).parts.map((part) => part.code)).toEqual([undefined, "archive-limit"]);
    expect((await open(archive, { limits: { maxBytes: 1000 } })).parts[0]?.code).toBe("archive-limit");
  });
});
