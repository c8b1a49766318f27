import { writeFileSync } from "node:fs";

// Loaded before a program by `--import`: notes, when the program ends, what it used.
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMegabytes: (maxRSS * 1024) / 1e6 };
  writeFileSync(process.env.OCI_UNPACK_BENCH_USAGE ?? "/dev/null", JSON.stringify(usage));
});
