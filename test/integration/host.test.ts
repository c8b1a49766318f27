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
import { scratch } from "../support/scratch.ts";

const sample = image(sampleLayers());

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

  test(`on Node ${node.version} the sandbox is enforced and reported`, async () => {
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
