#!/usr/bin/env node
import { homedir } from "node:os";
import process from "node:process";
import { run } from "./run.ts";

// Whoever read our output may be gone (`oci-unpack --help | head -1`): that is no reason to crash, or to stop unpacking.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

// The exit code is left for the end of all work, so that pipes are drained first.
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  homeDirectory: homedir(),
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
});
