import { readFileSync, writeFileSync } from "node:fs";

// Loaded before a program by `--import`: notes, when the program ends, how much memory it had at most, threads included.
// The kernel's VmHWM is of this program alone; what getrusage tells begins with the size of whoever started it.

process.on("exit", () => {
  const [, kibibytes = ""] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  writeFileSync(process.env.OCI_UNPACK_TEST_PEAK ?? "/dev/null", String(Number(kibibytes) * 1024));
});
