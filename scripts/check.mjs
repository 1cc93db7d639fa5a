// npm test: installs, builds, lints, type-checks and tests everything.
import { must, setup } from "./setup.mjs";

setup();
must("npx", ["turbo", "run", "build", "lint", "typecheck", "test", "--continue", ...process.argv.slice(2)]);
