import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reverseNames } from "./reverse-dns.js";

/** A DNS server that answers PTR questions about 192.0.2.x, x below 100, with two names, and about others not at all. */
let server: Socket;
let asked = 0;

function name(text: string): Buffer {
  return Buffer.concat([...text.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
}

function answered(question: Buffer): Buffer | undefined {
  const last = Number(question.subarray(13, 13 + (question[12] ?? 0)).toString());
  if (last >= 100) return undefined;
  const answers = [`host-${last}.Example.`, "alias.example"].map((text) => {
    const data = name(text.replace(/\.$/, ""));
    const fixed = Buffer.from([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, data.length]);
    return Buffer.concat([fixed, data]);
  });
  const header = Buffer.from([question[0] ?? 0, question[1] ?? 0, 0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0]);
  // The question without what clients add behind it.
  const end = question.indexOf(0, 12) + 5;
  return Buffer.concat([header, question.subarray(12, end), ...answers]);
}

beforeAll(async () => {
  server = createSocket("udp4");
  server.on("message", (question, from) => {
    asked++;
    const answer = answered(question);
    if (answer) server.send(answer, from.port, from.address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => server.close());

describe("reverseNames", () => {
  const options = (): { servers: string[]; timeoutMs: number } => ({ servers: [`127.0.0.1:${server.address().port}`], timeoutMs: 200 });

  it("asks for each address once and keeps every name; no answer is no name", async () => {
    const { names, notAsked } = await reverseNames(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.200", "no address"], options());
    expect(Object.fromEntries(names)).toEqual({
      "192.0.2.1": ["host-1.example", "alias.example"],
      "192.0.2.2": ["host-2.example", "alias.example"],
    });
    expect(notAsked).toBe(0);
  });

  it("asks for no more than it may", async () => {
    asked = 0;
    const addresses = Array.from({ length: 40 }, (_, i) => `192.0.2.${i}`);
    const { names, notAsked } = await reverseNames(addresses, { ...options(), limit: 25 });
    expect([names.size, notAsked, asked]).toEqual([25, 15, 25]);
  });
});
