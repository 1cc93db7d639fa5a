import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });

describe("the package", () => {
  it("holds the kernel that its sources build", () => {
    expect(run(process.execPath, ["scripts/build-kernel.mjs", "--check"])).toContain("up to date");
  });

  it("packs what it needs and nothing else", () => {
    const [packed] = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"])) as [{ files: { path: string }[] }];
    const files = packed.files.map((file) => file.path);
    expect(files).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]));
    expect(files.filter((file) => !/^(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts))$/.test(file))).toEqual([]);
    expect(files.filter((file) => /test/.test(file))).toEqual([]);
  });

  it("is clean for publint and for are-the-types-wrong", () => {
    expect(run("npx", ["publint", "--strict"])).toContain("All good!");
    // Resolution as Node 10 did it knows no subpaths; no other one may fail.
    const checked = run("npx", ["attw", "--pack", ".", "--profile", "esm-only", "--ignore-rules", "cjs-resolves-to-esm", "no-resolution"]);
    expect(checked).toContain("No problems found");
    expect(checked.split("\n").filter((line) => line.includes("💀") && !line.includes("(ignored"))).toEqual([]);
  });

  it("depends on what is agreed and nothing else", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
      scripts: Record<string, string>;
    };
    expect(Object.keys(manifest.dependencies).sort()).toEqual([
      "@zip.js/zip.js",
      "apache-arrow",
      "chrono-node",
      "fzstd",
      "ipaddr.js",
      "jsonc-parser",
      "ml-hclust",
      "ml-kmeans",
      "pako",
      "re2js",
      "simple-statistics",
      "temporal-polyfill",
      "tldts",
    ]);
    expect(Object.keys(manifest.scripts).filter((name) => /install/.test(name))).toEqual([]);
  });

  it("does in its README's examples what it says", () => {
    const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```js\n([\s\S]*?)```\n+```text\n([\s\S]*?)```/g)];
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    for (const [, code = "", output = ""] of blocks) {
      // Inside the package, so that its name resolves to itself.
      const file = join(root, `readme-example-${process.pid}.mjs`);
      writeFileSync(file, code);
      try {
        expect(run(process.execPath, [file])).toBe(output);
      } finally {
        rmSync(file);
      }
    }
  });
});

/** The whole package, and a hunt, as one script without imports. */
const ENTRY = `
import * as core from "./index.js";
globalThis.huntIn = async (name, data) => {
  const { results, reports } = await core.hunt([{ name, data }], { searches: [core.planSearch("quick")] });
  return JSON.stringify({ beacons: results[0].beacons.map((b) => [b.source, b.destination, b.port, b.score, b.connectionCount]), rows: reports.map((r) => r.rows), marks: reports.map((r) => r.truncated || r.damaged || ""), engine: core.createEngine().kind });
};
globalThis.tableOf = async (name, data) => (await core.readTable({ name, data })).table.numRows;
`;

const LOG = `#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n${Array.from({ length: 40 }, (_, i) => `${1_600_000_000 + i * 300}.25\t10.0.0.1\t${i}\t192.0.2.1\t443\ttcp\n`).join("")}`;
const FOUND = { beacons: [["10.0.0.1", "192.0.2.1", 443, 100, 40]], marks: [""], engine: "wasm" };

describe("without Node", () => {
  let folder = "";
  let bundle = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "core-bundle-"));
    const entry = join(root, `dist/bundle-entry-${process.pid}.js`);
    writeFileSync(entry, ENTRY);
    try {
      const build = await rolldown({ input: entry, platform: "browser", logLevel: "silent" });
      const { output } = await build.write({ dir: folder, format: "iife", name: "bundle", codeSplitting: false });
      bundle = readFileSync(join(folder, output[0].fileName), "utf8");
    } finally {
      rmSync(entry);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("loads and hunts where there is no Node API", async () => {
    expect(bundle).not.toMatch(/\brequire\(["']node:|from ["']node:/);
    // Only what browsers have as well.
    const names = ["TextEncoder", "TextDecoder", "WebAssembly", "atob", "Blob", "TransformStream", "ReadableStream", "WritableStream"];
    names.push("DecompressionStream", "CompressionStream", "Uint8Array", "URL");
    const browser = Object.fromEntries(names.map((name) => [name, (globalThis as Record<string, unknown>)[name]]));
    const context = vm.createContext(browser);
    vm.runInContext(bundle, context);
    const huntIn = context["huntIn"] as (name: string, data: Uint8Array) => Promise<string>;
    expect(vm.runInContext("typeof process + typeof Buffer + typeof require", context)).toBe("undefinedundefinedundefined");
    expect(JSON.parse(await huntIn("conn.log", new TextEncoder().encode(LOG)))).toEqual({ ...FOUND, rows: [40] });
    expect(JSON.parse(await huntIn("conn.log.gz", new Uint8Array(gzipSync(LOG))))).toEqual({ ...FOUND, rows: [40] });
  });

  const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (!chromium) console.warn("skipped: no Chromium is installed");

  it.skipIf(!chromium)("loads, hunts and inflates several members in a real browser", async () => {
    const { chromium: browserType } = await import("playwright-core");
    const page1 = Buffer.from(gzipSync(LOG));
    const page2 = Buffer.from(gzipSync(LOG.replaceAll("10.0.0.1", "10.0.0.2")));
    const files: Record<string, Buffer | string> = {
      "/": "<!doctype html><title>core</title><script src=bundle.js></script>",
      "/bundle.js": bundle,
      "/two.gz": Buffer.concat([page1, page2]),
      "/cut.gz": page1.subarray(0, page1.length - 20),
    };
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    const server = createServer((request, response) => {
      const body = files[request.url ?? ""];
      const type = request.url === "/" ? "text/html" : request.url === "/bundle.js" ? "text/javascript" : "application/octet-stream";
      response.writeHead(body === undefined ? 404 : 200, { "content-type": type, "content-security-policy": policy }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await browserType.launch({ executablePath: chromium ?? "", args: ["--no-sandbox", "--disable-background-networking"] });
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const hunted = async (path: string): Promise<unknown> =>
        JSON.parse(await page.evaluate(`fetch("${path}").then((r) => r.blob()).then((b) => huntIn("conn.log.gz", b))`));
      expect(await hunted("/two.gz")).toEqual({
        ...FOUND,
        beacons: [
          ["10.0.0.1", "192.0.2.1", 443, 100, 40],
          ["10.0.0.2", "192.0.2.1", 443, 100, 40],
        ],
        rows: [80],
      });
      expect(await hunted("/cut.gz")).toMatchObject({ marks: [true] });
      expect(await page.evaluate(`fetch("/two.gz").then((r) => r.blob()).then((b) => tableOf("conn.log.gz", b))`)).toBe(80);
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});

it("imports nothing of Node's, in no file that is built", () => {
  const dist = join(root, "dist");
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  expect(files.length).toBeGreaterThan(20);
  for (const file of files)
    expect([file, /from "node:|import\("node:|\bprocess\.|\bBuffer\b/.test(readFileSync(join(dist, file), "utf8"))]).toEqual([file, false]);
});
