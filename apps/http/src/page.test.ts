import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, start } from "./index.js";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
if (CHROMIUM === undefined) console.warn("skipped: Chromium is not installed, which the page's tests need");
const examples = fileURLToPath(new URL("../../../examples/logs", import.meta.url));
const built = join(dirname(fileURLToPath(import.meta.resolve("@heliograph/web/package.json"))), "dist");

const HEADER =
  "#separator \\x09\n#set_separator\t,\n#unset_field\t-\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
const flow = (source: string, destination: string, minutes: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `${1_700_000_000 + i * minutes * 60}.25\t${source}\t${i}\t${destination}\t443\ttcp\n`).join("");

/** HTML, a long text and marks that turn the direction of text, as names of destinations. */
const HOSTILE = ['<img src=x onerror="document.title=1">', `${"a".repeat(10_000)}.example`, "\u202egnp.elpmaxe"];

let browser: Browser;
let folder = "";
let server: RunningServer;
const contexts: BrowserContext[] = [];

function filesBelow(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const own = join(path, entry.name);
    return entry.isDirectory() ? filesBelow(own) : [own];
  });
}

describe.skipIf(CHROMIUM === undefined)("the page", () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-background-networking"] });
    folder = mkdtempSync(join(tmpdir(), "page-"));
    mkdirSync(join(folder, "hostile"));
    writeFileSync(
      join(folder, "hostile", "conn.log"),
      HEADER + HOSTILE.map((_, i) => flow(`10.0.0.${i + 1}`, `192.0.2.${i + 1}`, 5, 100)).join(""),
    );
    writeFileSync(
      join(folder, "hostile", "dns.log"),
      `#separator \\x09\n#unset_field\t-\n#path\tdns\n#fields\tts\tid.orig_h\tquery\tanswers\n${HOSTILE.map((name, i) => `1699999999.0\t10.0.0.${i + 1}\t${name}\t192.0.2.${i + 1}\n`).join("")}`,
    );
    mkdirSync(join(folder, "many"));
    writeFileSync(
      join(folder, "many", "conn.log.gz"),
      gzipSync(
        HEADER + Array.from({ length: 50_000 }, (_, i) => flow(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, "192.0.2.9", 5, 12)).join(""),
        { level: 1 },
      ),
    );
    server = await start({ port: 0, store: join(folder, "store"), roots: { examples, logs: folder }, version: "1.2.3", log: false });
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  /** A page, and what went wrong on it. */
  async function open(address: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<{ page: Page; troubles: string[] }> {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    // A busy machine is no failure.
    context.setDefaultTimeout(240_000);
    contexts.push(context);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on("pageerror", ({ message }) => troubles.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
    await page.goto(address);
    return { page, troubles };
  }

  /** What axe finds against WCAG 2.2 AA. */
  async function violations(page: Page): Promise<string[]> {
    const { violations: found } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
      .analyze();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  }

  async function hunted(page: Page, below = ""): Promise<void> {
    await page.getByLabel("Where").selectOption(below === "" ? "/examples" : "/logs");
    if (below !== "") await page.getByLabel("Path below it").fill(below);
    await page.getByRole("button", { name: "Hunt", exact: true }).click();
    await page.locator(".grid-row").first().waitFor();
  }

  it("hunts, shows what was found, one beacon with its charts and connections, and exports", async () => {
    const { page, troubles } = await open(server.url);
    await hunted(page);
    expect(await page.locator(".grid-row").count()).toBe(6);
    expect(await page.getByRole("status").textContent()).toContain("6 of 9 beacons");
    await page.getByLabel("likely harmless").check();
    expect(await page.getByRole("status").textContent()).toContain("9 of 9 beacons");
    await page.getByLabel("Find").fill("8443");
    expect(await page.getByRole("status").textContent()).toContain("1 of 9 beacons");
    // What is looked for stands in the address: it can be sent to somebody.
    expect(page.url()).toContain("find=8443");
    const { page: other } = await open(page.url());
    await other.locator(".grid-row").first().waitFor();
    expect(await other.locator(".grid-row").count()).toBe(1);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
    expect(readFileSync((await file.path()) ?? "", "utf8")).toMatch(/^ID,Source IP,/);
    await page.locator(".grid-row a").first().click();
    await page.locator("figure svg").nth(3).waitFor();
    expect(await page.locator("h1").textContent()).toContain("91.219.236.180 8443/tcp");
    expect(await page.locator("p.card").textContent()).toContain("calls every");
    await page.getByText("1 to 138 of 138").waitFor();
    expect(await page.locator("section table tbody tr").count()).toBe(138);
    expect(await violations(page)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it("filters a host out with a click, takes it back, compares runs and deletes them", async () => {
    const { page, troubles } = await open(server.url);
    page.on("dialog", (dialog) => void dialog.accept());
    await hunted(page);
    await page.getByRole("button", { name: "Filter host" }).first().click();
    await page.getByText("is left out of all results").waitFor();
    await expect.poll(() => page.locator(".grid-row").count()).toBe(5);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => page.locator(".grid-row").count()).toBe(6);
    await page.goto(`${server.url}/#/hunt`);
    await page.getByLabel("Adaptive search", { exact: true }).uncheck();
    await page.getByLabel("Quick cluster", { exact: true }).check();
    await page.getByRole("button", { name: "Hunt", exact: true }).click();
    await page.getByRole("heading", { name: "quick in /examples" }).waitFor();
    await page.goto(`${server.url}/#/runs`);
    await page.locator("tbody tr").nth(1).waitFor();
    for (const place of [0, 1]) await page.locator("tbody input").nth(place).check();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("heading", { name: /^New: \d+/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    const before = await page.locator("tbody tr").count();
    await page.getByRole("button", { name: "Delete" }).first().click();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(before - 1);
    expect(troubles).toEqual([]);
  });

  it.each(["hunt", "runs", "insights", "query", "hosts", "sources", "settings", "local"])(
    "has no barrier on #/%s, dark or light, nor on a phone",
    async (name) => {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, troubles } = await open(`${server.url}/#/${name}`, { colorScheme, viewport: { width: 390, height: 800 } });
        await page.locator("main h1").waitFor();
        await page.waitForTimeout(150);
        expect([name, colorScheme, await violations(page)]).toEqual([name, colorScheme, []]);
        // Nothing sticks out at the side of a small screen.
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
        expect(await page.getByRole("link", { name: "Interactive API documentation" }).count()).toBe(1);
        expect(troubles).toEqual([]);
      }
    },
  );

  it("looks at the connections that a filter leaves, and says what is wrong with one", async () => {
    const { page } = await open(server.url);
    await page.getByText("Which connections").click();
    await page.getByLabel("Ports", { exact: true }).fill("8443");
    await hunted(page);
    expect(await page.locator(".grid-row").count()).toBe(1);
    await page.goto(`${server.url}/#/hunt`);
    await page.getByText("Which connections").click();
    await page.getByLabel("Sources", { exact: true }).fill("10.0.0.0/99");
    await page.getByRole("button", { name: "Hunt", exact: true }).click();
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("10.0.0.0/99");
  });

  it("asks queries and insights, and says where a query is wrong", async () => {
    const { page } = await open(`${server.url}/#/query`);
    await page.locator("textarea").fill('{"query": {"ter');
    await page.getByRole("button", { name: "terms", exact: true }).click();
    expect(await page.locator("textarea").inputValue()).toBe('{"query": {"terms');
    await page.locator("textarea").fill('{"query": {"term": }}');
    await page.getByRole("button", { name: "Ask" }).click();
    expect(await page.getByRole("alert").textContent()).toMatch(/line 1, column \d+|Unexpected token/);
    await page.locator("textarea").fill('{"query": {"nothing": {}}}');
    await page.getByRole("button", { name: "Ask" }).click();
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("nothing");
    await page.goto(`${server.url}/#/insights?index=dns_logs&insight=top_dns_servers`);
    await page.locator("main .notice, main [role=alert]").waitFor();
    expect(await page.locator("option").count()).toBeGreaterThan(27);
  });

  it("keeps and tests data sources, and hosts", async () => {
    const { page } = await open(`${server.url}/#/sources`);
    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByLabel("Name", { exact: true }).fill("mine");
    await page.getByLabel("Path as log_dir").fill("/examples");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("cell", { name: "mine" }).waitFor();
    await page.getByRole("button", { name: "Test" }).click();
    expect(await page.getByLabel("What the test said").textContent()).toContain('"readable": true');
    await page.getByRole("button", { name: "Forget" }).click();
    await page.getByText("There is no data source").waitFor();
    await page.goto(`${server.url}/#/hosts`);
    await page.getByLabel("Address").fill("not an address");
    await page.getByRole("button", { name: "Leave it out" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Address").fill("203.0.113.7");
    await page.getByRole("button", { name: "Leave it out" }).click();
    await page.getByRole("cell", { name: "203.0.113.7" }).waitFor();
    await page.getByRole("button", { name: "Show again" }).click();
    await page.getByText("No host is filtered").waitFor();
  });

  it("makes and revokes API keys on the server's own machine, and uses the one it made", async () => {
    const own = await start({ port: 0, store: join(folder, "own-keys"), version: "1.2.3", log: false });
    try {
      const { page } = await open(`${own.url}/#/settings`);
      await page.getByLabel("What a new key is for").fill("me");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.getByText(/hg_[\w-]{43}/).waitFor();
      expect((await fetch(`${own.url}/api/runs`)).status).toBe(401);
      await page.getByText("Configuration in force").waitFor();
      await page.getByRole("button", { name: "Revoke" }).click();
      await page.getByText("the server wants an API key").first().waitFor();
      expect(await violations(page)).toEqual([]);
    } finally {
      await own.close();
    }
    const network = await start({
      port: 0,
      host: "0.0.0.0",
      withoutKey: true,
      store: join(folder, "network"),
      version: "1.2.3",
      log: false,
    });
    try {
      const answer = await fetch(`${network.url.replace("0.0.0.0", "127.0.0.1")}/api/keys`);
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("heliograph keys create")]);
    } finally {
      await network.close();
    }
  });

  it("shows hostile names as text", async () => {
    const { page, troubles } = await open(server.url);
    await hunted(page, "hostile");
    const names = await page
      .locator(".grid-row")
      .evaluateAll((rows: { textContent: string | null }[]) => rows.map(({ textContent }) => textContent ?? ""));
    expect(names.some((text) => text.includes("<img src=x"))).toBe(true);
    expect(names.some((text) => text.includes("\\u{202e}gnp"))).toBe(true);
    expect(names.every((text) => text.length < 1000 && !text.includes("\u202e"))).toBe(true);
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe("Heliograph");
    // The three call alike.
    await page.locator(".grid-row a").first().click();
    await page.getByText("Beacons that behave alike").waitFor();
    expect(await page.locator("h2:has-text('behave alike') + ul li").count()).toBe(2);
    expect(troubles).toEqual([]);
  });

  it("stays quick with very many beacons: only those in sight are drawn", async () => {
    const { page } = await open(server.url);
    await page.getByLabel("Where").selectOption("/logs");
    await page.getByLabel("Path below it").fill("many");
    await page.getByLabel("Adaptive search", { exact: true }).uncheck();
    await page.getByLabel("Quick cluster", { exact: true }).check();
    await page.getByRole("button", { name: "Hunt", exact: true }).click();
    await page.locator(".grid-row").first().waitFor();
    expect(await page.getByRole("status").textContent()).toContain("50,000 of 50,000");
    expect(await page.locator(".grid-row").count()).toBeLessThan(100);
    await page.locator(".grid-table").evaluate((table: { scrollTop: number; scrollHeight: number }) => {
      table.scrollTop = table.scrollHeight;
    });
    await expect.poll(() => page.locator(".grid-row").last().getAttribute("aria-rowindex")).toBe("50001");
  });

  it("loads less than 300 KB of packed script before the first page is shown", async () => {
    const { page } = await open(`${server.url}/#/hunt`);
    await page.locator("main h1").waitFor();
    const loaded = await page.evaluate<string[]>(
      "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js'))",
    );
    const bytes = loaded
      .map((name) => gzipSync(readFileSync(join(built, new URL(name).pathname))).length)
      .reduce((sum, size) => sum + size, 0);
    expect(loaded.length).toBeGreaterThan(2);
    expect(bytes).toBeLessThan(300_000);
  });

  it("is served with a strict policy, and without a key while the API wants one", async () => {
    const closed = await start({ port: 0, store: join(folder, "keys"), version: "1.2.3", log: false });
    try {
      const answer = await fetch(`${closed.url}/`);
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy).not.toContain("'unsafe-eval'");
      expect((await fetch(`${closed.url}/local`, { redirect: "manual" })).status).toBe(302);
      expect((await fetch(`${closed.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
    } finally {
      await closed.close();
    }
  });

  it("hunts without a server in files that are dropped, with the network cut, and exports what a filter leaves", async () => {
    // Any static host will do; after the page is loaded it is gone.
    const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
    const host = createServer((request, response) => {
      const path = join(built, request.url === "/" ? "index.html" : ((request.url ?? "").split("?")[0]?.replaceAll("..", "") ?? ""));
      if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
      return response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(readFileSync(path));
    });
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    try {
      const { page } = await open(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
      await page.getByText("Nothing that you open here leaves this browser").waitFor();
      const files = filesBelow(examples);
      await page.waitForLoadState("networkidle");
      await page.context().setOffline(true);
      const sent: string[] = [];
      page.on("request", (request) => sent.push(request.url()));
      await page.locator("input[type=file]").setInputFiles(files);
      await page.getByText("4,943 connections in 1,750 groups").waitFor();
      expect(await page.locator(".grid-row").count()).toBe(6);
      await page.getByLabel("Find").fill("8443");
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
      const lines = readFileSync((await file.path()) ?? "", "utf8")
        .trim()
        .split("\n");
      expect(lines).toHaveLength(2);
      expect(lines[1]).toContain("91.219.236.180,8443,tcp,95.");
      expect(sent.filter((address) => address.startsWith("http") && !address.includes("/assets/"))).toEqual([]);
      expect(await violations(page)).toEqual([]);
    } finally {
      host.closeAllConnections();
      await new Promise((resolve) => host.close(resolve));
    }
  });

  it("says what is wrong with a file that is no log", async () => {
    const { page } = await open(`${server.url}/local/`);
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: "conn.log", mimeType: "text/plain", buffer: Buffer.from("this is no log\n") });
    await page.getByText("conn.log: 1 malformed rows left out").waitFor();
    await page.getByText("This search found no beacon").waitFor();
  });
});
