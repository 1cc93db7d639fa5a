// The command line as a few files instead of a hundred: half of the start-up time was looking for modules. The worker
// threads are entries of their own, beside the others, where the hunt looks for them.
export default {
  input: {
    main: "build/main.js",
    "hunt-worker": "../../packages/runtime/dist/hunt/hunt-worker.js",
    "family-worker": "../../packages/runtime/dist/hunt/family-worker.js",
  },
  platform: "node",
  output: { dir: "dist", format: "esm", cleanDir: true },
};
