// The command line as a few files instead of a hundred: half of the start-up time was looking for modules. The worker
// threads are entries of their own, beside the others, where the hunt looks for them.
export default {
  input: {
    main: "build/main.js",
    "hunt-worker": "../../packages/runtime/dist/hunt/hunt-worker.js",
    "family-worker": "../../packages/runtime/dist/hunt/family-worker.js",
  },
  // What keeps runs and serves them is loaded from its packages, by the commands that need it: it has parts that cannot be bundled.
  external: [
    "@heliograph/runtime/runs",
    "@heliograph/runtime/logs",
    "@heliograph/runtime/cluster",
    "@heliograph/core/query",
    "@heliograph/core/insights",
    "@heliograph/http",
    "@heliograph/worker",
  ],
  platform: "node",
  output: { dir: "dist", format: "esm", cleanDir: true },
};
