import type { Hash } from "node:crypto";

/**
 * A hash of SHA-256, where most threads that have the code never make one: `node:crypto` is loaded with the first, and
 * takes 3 to 9 ms of processor time in each thread.
 */
export function sha256(): Hash {
  return process.getBuiltinModule("node:crypto").createHash("sha256");
}
