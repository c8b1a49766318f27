/*
 * Modules of Node that threads have in their code but seldom use: each is loaded when it is first asked for. In an empty
 * thread on Node 26, `node:crypto` takes 6 ms of processor time, and `node:zlib` 4; on Node 20, 1 to 3 and none.
 */

export function nodeCrypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

export function nodeZlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
