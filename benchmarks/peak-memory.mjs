// Loaded into every process that is measured: says at its end how much memory it held at most.
process.on("exit", () => process.stderr.write(`\npeak-memory-kib ${process.resourceUsage().maxRSS}\n`));
