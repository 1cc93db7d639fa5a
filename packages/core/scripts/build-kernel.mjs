// Compiles kernel/*.ts (AssemblyScript) to src/zeek/kernel-module.ts. With --check it compares instead of writing:
// the committed module must be what the sources say.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = join(root, "src/zeek/kernel-module.ts");
const folder = await mkdtemp(join(tmpdir(), "kernel-"));
try {
  const out = join(folder, "kernel.wasm");
  const { error, stderr } = await asc.main([
    join(root, "kernel/index.ts"),
    ...["--outFile", out, "-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
    ...["--enable", "simd", "--enable", "bulk-memory", "--initialMemory", "2"],
  ]);
  const warnings = stderr.toString();
  if (error || warnings) throw new Error(warnings || String(error));
  const wasm = await readFile(out);
  const lines = wasm.toString("base64").match(/.{1,120}/g) ?? [];
  const text = [
    "// Built from kernel/*.ts by scripts/build-kernel.mjs; `npm run kernel` writes it, the tests compare it.",
    `const BASE64 = \`\n${lines.join("\n")}\n\`;`,
    "",
    "/** The reader kernel as WebAssembly bytes. */",
    "export function kernelModule(): Uint8Array<ArrayBuffer> {",
    '  return Uint8Array.from(atob(BASE64.trim().replaceAll("\\n", "")), (character) => character.charCodeAt(0));',
    "}",
    "",
  ].join("\n");
  if (process.argv.includes("--check")) {
    const committed = await readFile(target, "utf8");
    if (committed !== text) throw new Error("src/zeek/kernel-module.ts is not what kernel/*.ts builds: run npm run kernel");
    console.log(`kernel module is up to date (${wasm.length} bytes)`);
  } else {
    await writeFile(target, text);
    console.log(`wrote ${wasm.length} bytes`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
