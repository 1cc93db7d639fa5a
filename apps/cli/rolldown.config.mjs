// The command line as a few files instead of a hundred: half of the start-up time was looking for modules. The hunt's worker
// thread is an entry of its own, beside the others, where the hunt looks for it.
export default {
  input: { main: "build/main.js", "hunt-worker": "../../packages/runtime/dist/hunt/hunt-worker.js" },
  platform: "node",
  output: { dir: "dist", format: "esm", cleanDir: true },
};
