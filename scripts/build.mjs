// Builds what has changed, without turbo's telemetry.
import { must } from "./setup.mjs";

must("npx", ["turbo", "run", "build", ...process.argv.slice(2)]);
