import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { stat } from "node:fs/promises";

// Loaded before a program by `--import`: from then on this user may have only so many threads more than now. Set from
// outside, the limit would meet Node's own threads first, without which it aborts or hangs (seen on Node 20).

await stat("/"); // libuv's pool is there
const threads = readdirSync("/proc/self/task").length + Number(process.env.OCI_UNPACK_TEST_SPARE_THREADS);
execFileSync("prlimit", [`--pid=${process.pid}`, `--nproc=${threads}`]);
