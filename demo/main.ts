import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stored } from "../test/support/image.ts";
import { startRegistry } from "../test/support/registry-double.ts";
import { drip } from "../test/support/registry-reply.ts";
import { skipWithoutLandlock } from "../test/support/sandbox.ts";
import { demoImage, demoLayers } from "./image.ts";
import { hiddenLines, treeLines } from "./tree.ts";

/** The command as it is installed, built by `npm run build`. */
const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

await using registry = await startRegistry();
const reference = stored(registry, "harbour/lighthouse", demoImage());
// On a terminal the registry takes its time, so that there is something to watch.
if (process.stderr.isTTY) registry.always(/\/blobs\//, drip(64 * 1024, 30));

const parent = await mkdtemp(join(tmpdir(), "oci-unpack-demo-"));
const directory = join(parent, "lighthouse");
const missing = skipWithoutLandlock();
const options = missing === false ? [] : ["--sandbox", "prefer"];

say("A registry listens on this machine for a moment, with an image of four layers:");
say();
for (const [index, { title, entries }] of demoLayers.entries()) {
  say(`  layer ${index + 1}  ${title.padEnd(16)} ${entries.length} entries`);
}
say();
if (missing !== false) say(`There is no sandbox, for ${missing}; --sandbox prefer allows to go on without:`);
say(`$ ${["oci-unpack", ...options, reference, directory].join(" ")}`);
const status = await unpacked();
if (status === 0) tell();
process.exitCode = status;

/** Runs the real command, with this terminal as its own. */
async function unpacked(): Promise<number> {
  const child = spawn(process.execPath, [command, ...options, reference, directory], { stdio: "inherit" });
  const [code] = await once(child, "close");
  return typeof code === "number" ? code : 1;
}

function tell(): void {
  const rootfs = join(directory, "rootfs");
  say();
  say("This is what it became, and where each entry comes from:");
  say();
  for (const line of treeLines(rootfs)) say(line);
  say();
  say("And this is what a layer had and a later one took away:");
  say();
  for (const line of hiddenLines(rootfs)) say(line);
  say();
  say("Left out: dev/lamp, because device nodes are made only when asked for (--devices create).");
  say();
  say("Look around:");
  say(`  cd ${directory}`);
  say("  cat rootfs/etc/motd");
  say("  ls -li rootfs/usr/bin       # greet and hello are one inode");
  say("  cat config.json             # the image's configuration, byte for byte");
  say(`  rm -r ${parent}   # when you are done`);
  say();
  say("Then try a real one:  npx oci-unpack debian:stable ./debian");
  say("How it works: ARCHITECTURE.md.  What it protects you from: docs/safety.md.");
}

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}
