import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { output } from "../support/command.ts";
import type { HostReport } from "../support/host-probe.ts";
import { image, stored } from "../support/image.ts";
import { nodes } from "../support/nodes.ts";
import { probe } from "../support/probe.ts";
import { startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { scratch } from "../support/scratch.ts";

const sample = image(sampleLayers());

/** Looks into an image and prints, for each thread of libuv's pool, whether it is confined. It touches no pool itself. */
const requiringHost = `
  const { list } = require(process.argv[1]);
  const { readdirSync, readFileSync } = require("node:fs");
  const status = (task) => readFileSync("/proc/self/task/" + task + "/status", "utf8");
  list(process.argv[2], "/", { platform: "linux/amd64", sandbox: "require" }).then(() => {
    const pool = readdirSync("/proc/self/task").map(status).filter((text) => text.includes("libuv-worker"));
    console.log(JSON.stringify(pool.map((text) => /^NoNewPrivs:.*(.)$/m.exec(text)[1])));
  });
`;

for (const node of nodes()) {
  test(`on Node ${node.version} a host that unpacked confined is itself not confined`, async () => {
    await using registry = await startRegistry();
    await using place = await scratch();
    const elsewhere = join(place.directory, "elsewhere");
    await mkdir(elsewhere);

    const program = fileURLToPath(new URL("../support/host-probe.js", import.meta.url));
    const reference = stored(registry, "some/image", sample);
    const printed = await output(node.path, [program, reference, join(place.directory, "image"), elsewhere]);
    const report = JSON.parse(printed) as HostReport;

    assert.deepEqual(report.found, report.unchanged);
    assert.deepEqual(
      {
        hostname: report.hostname,
        fromProcess: report.fromProcess,
        fromThread: report.fromThread,
        modesMeanwhile: report.modesMeanwhile,
        modeAfterwards: report.modeAfterwards,
      },
      {
        hostname: await readFile("/etc/hostname", "utf8"),
        fromProcess: await readFile("/etc/hostname", "utf8"),
        fromThread: "written",
        modesMeanwhile: [0o666 & ~process.umask()],
        modeAfterwards: 0o666 & ~process.umask(),
      },
    );
  });

  // Loading modules starts the pool as well, but not where `require` loads them.
  const namesThreads = Number(node.version.slice(1, 3)) >= 22;
  test(`on Node ${node.version} the pool of a host that requires the library runs, and is not confined`, {
    skip: !namesThreads && "there the pool's threads have no name by which one finds them",
  }, async () => {
    await using registry = await startRegistry();
    const library = fileURLToPath(new URL("../../src/index.js", import.meta.url));
    const reference = stored(registry, "some/image", sample);
    const printed = await output(node.path, ["--no-warnings", "-e", requiringHost, library, reference]);
    assert.deepEqual(JSON.parse(printed), ["0", "0", "0", "0"]);
  });

  test(`on Node ${node.version} the sandbox is enforced and reported`, { skip: skipWithoutLandlock() }, async () => {
    await using registry = await startRegistry();
    await using place = await scratch();
    const reference = stored(registry, "some/image", sample);
    const directory = join(place.directory, "image");

    const { outcome } = await probe(
      { reference, directory, options: { platform: "linux/amd64", sandbox: "require" } },
      { node: node.path },
    );

    assert.equal(outcome.type === "unpacked" && outcome.result.sandbox.state, "enforced", JSON.stringify(outcome));
  });
}
