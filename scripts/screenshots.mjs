// Makes the pictures of the README from the example logs: npm run build first, Chromium must be there.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start } from "@heliograph/http";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("..", import.meta.url));
const images = join(root, "docs", "images");
const store = mkdtempSync(join(tmpdir(), "screenshots-"));
const server = await start({ port: 0, store, roots: { examples: join(root, "examples/logs") }, version: "0.1.0", log: false });
const browser = await chromium.launch({
  executablePath: process.argv[2] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1320, height: 760 } });
  await page.goto(server.url);
  await page.getByRole("button", { name: "Hunt", exact: true }).click();
  await page.locator(".grid-row").first().waitFor();
  await page.setViewportSize({ width: 1320, height: 560 });
  await page.screenshot({ path: join(images, "beacons.png") });
  await page.locator(".grid-row a").nth(3).click();
  await page.locator("figure svg").nth(3).waitFor();
  await page.setViewportSize({ width: 1320, height: 1000 });
  await page.screenshot({ path: join(images, "beacon.png") });
  const local = await browser.newPage({ viewport: { width: 1320, height: 700 }, colorScheme: "dark" });
  await local.goto(`${server.url}/local/`);
  const files = readdirSync(join(root, "examples/logs"), { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  await local.locator("input[type=file]").setInputFiles(files.map((entry) => join(entry.parentPath, entry.name)));
  await local.locator(".grid-row").first().waitFor();
  await local.screenshot({ path: join(images, "local.png") });
} finally {
  await browser.close();
  await server.close();
  rmSync(store, { recursive: true });
}
