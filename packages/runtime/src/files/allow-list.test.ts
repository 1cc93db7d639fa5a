import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readHostList, withAllowLists } from "./allow-list.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "allow-list-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const written = (text: string): string => {
  const file = join(folder, "list.txt");
  writeFileSync(file, text);
  return file;
};

describe("readHostList", () => {
  it.each<[string, string, string[], string[]]>([
    [
      "an entry a line, with comments, blanks and CRLF",
      "\ufeff# ours\r\n\r\n192.0.2.1 # a printer\r\n10.0.0.0/8\r\nexample.com\r\n*cdn*\r\n2001:db8::/32\r\n10.1.*\r\n",
      ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "10.1.*"],
      ["example.com", "*cdn*"],
    ],
    ["CSV without titles: the first column", '192.0.2.1,printer\n"example.com","a, b"\n', ["192.0.2.1"], ["example.com"]],
    [
      "CSV with titles, after a comment",
      "# exported\nnote,IP,Domain\nx,192.0.2.1,a.example\ny,,b.example\n",
      ["192.0.2.1"],
      ["a.example", "b.example"],
    ],
    ["CSV with semicolons", "ip;note\n192.0.2.1;x\n", ["192.0.2.1"], []],
    ["nothing", "# nothing\n", [], []],
  ])("reads %s", async (_, text, addresses, names) => {
    expect(await readHostList(written(text))).toEqual({ addresses, names });
  });

  it.each([
    ["192.0.2.1\n\n192.0.2.256\n", 'line 3: "192.0.2.256" is no address'],
    ["a,b\nexample.com,x\nhttp://example.com,y\n", 'line 3: "http://example.com" is no address'],
    ["1.2.3\n", 'line 1: "1.2.3" is no address'],
    ["10.0.0.0/33\n", 'line 1: "10.0.0.0/33" is no address'],
  ])("names the line of what it cannot read in %j", async (text, reason) => {
    const file = written(text);
    await expect(readHostList(file)).rejects.toMatchObject({
      code: "bad-parameter",
      message: expect.stringContaining(`${file}: ${reason}`),
    });
  });

  it("says what is wrong with the file", async () => {
    await expect(readHostList(join(folder, "none"))).rejects.toThrow("none: no such file");
    await expect(readHostList(folder)).rejects.toThrow("is a folder");
  });
});

describe("withAllowLists", () => {
  it("adds to what a filter leaves out", async () => {
    const filter = { ports: { include: [443] }, destination: { include: ["0.0.0.0/0"], exclude: ["192.0.2.9"] } };
    expect(await withAllowLists(filter, [written("192.0.2.1\nexample.com\n")])).toEqual({
      ports: { include: [443] },
      destination: { include: ["0.0.0.0/0"], exclude: ["192.0.2.9", "192.0.2.1"] },
      names: { exclude: ["example.com"] },
    });
  });
});
