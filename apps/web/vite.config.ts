import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Relative addresses: the same build lies at the root of a server, below a path, or on any static host.
export default defineConfig({
  base: "./",
  plugins: [react()],
  // One file: once it is loaded, a hunt in the browser needs no network for whatever a log turns out to be.
  worker: { format: "es", rolldownOptions: { output: { codeSplitting: false } } },
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 1500 },
});
