import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { machinePolicy } from "../../src/configuration/machine-policy.ts";
import { scratch } from "../support/scratch.ts";

test("the policy of a machine is the user's, or else the system's, or there is none", async () => {
  await using place = await scratch();
  const [home, system] = ["home", "etc"].map((name) => join(place.directory, name)) as [string, string];
  const [ofUser, ofSystem] = [join(home, ".config/containers"), join(system, "containers")];
  for (const directory of [ofUser, ofSystem]) {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "policy.json"), "{}");
  }
  const machine = { env: {}, homeDirectory: home, uid: 1000, systemDirectory: system };
  assert.equal(await machinePolicy(machine), join(ofUser, "policy.json"));
  await rm(ofUser, { recursive: true });
  assert.equal(await machinePolicy(machine), join(ofSystem, "policy.json"));
  await rm(ofSystem, { recursive: true });
  assert.equal(await machinePolicy(machine), undefined);
});
