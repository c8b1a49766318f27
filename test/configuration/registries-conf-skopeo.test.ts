import assert from "node:assert/strict";
import { test } from "node:test";
import { registryFromEnvironment } from "../../src/configuration/environment.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { outcomeOf } from "../support/command.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { skipWithout } from "../support/tools.ts";
import { testMachine } from "./machine.ts";

const digest = `sha256:${"0".repeat(64)}`;

/**
 * `ONE` and `TWO` are registries that have no image at all.
 *
 * Left out is what the manual page says and skopeo 1.18 does not do: prefixes with a tag, and blocking a name whose
 * location is another.
 */
const conf = `
  [[registry]]
  prefix = "r.example"
  location = "ONE/whole"
  insecure = true

  [[registry]]
  prefix = "r.example/ns"
  location = "ONE/namespace"
  insecure = true
  [[registry.mirror]]
  location = "TWO/a"
  insecure = true
  [[registry.mirror]]
  location = "TWO/b/c"
  insecure = true

  [[registry]]
  prefix = "*.wild.example"
  location = "ONE/wild"
  insecure = true
  [[registry.mirror]]
  location = "TWO/wild"
  insecure = true

  [[registry]]
  prefix = "deep.wild.example/ns"
  location = "ONE/deep"
  insecure = true

  [[registry]]
  prefix = "docker.io/library"
  location = "ONE/hub"
  insecure = true

  [[registry]]
  prefix = "digests.example"
  location = "ONE/digests"
  insecure = true
  mirror-by-digest-only = true
  [[registry.mirror]]
  location = "TWO/digests"
  insecure = true

  [[registry]]
  prefix = "mixed.example"
  location = "ONE/mixed"
  insecure = true
  [[registry.mirror]]
  location = "TWO/for-tags"
  insecure = true
  pull-from-mirror = "tag-only"
  [[registry.mirror]]
  location = "TWO/for-digests"
  insecure = true
  pull-from-mirror = "digest-only"
  [[registry.mirror]]
  location = "TWO/for-all"
  insecure = true
  pull-from-mirror = "all"`;

const names = [
  "r.example/other:v1",
  "r.example/ns/image:v1",
  `r.example/ns/image@${digest}`,
  "r.example/nsx/image:v1",
  "a.wild.example/ns/image:v1",
  "a.b.wild.example/ns/image:v1",
  "deep.wild.example/ns/image:v1",
  "docker.io/debian:stable",
  "debian:stable",
  "digests.example/image:v1",
  `digests.example/image@${digest}`,
  "mixed.example/image:v1",
  `mixed.example/image@${digest}`,
];

test("R-72: for every name, the same manifests are asked for in the same order as by skopeo", {
  skip: skipWithout("skopeo"),
}, async (context) => {
  await using one = await startRegistry();
  await using two = await startRegistry();
  const trail = () => [one, two].flatMap((double) => manifestsAsked(double)).sort((a, b) => a.time - b.time);
  const since = (count: number) =>
    trail()
      .slice(count)
      .map(({ path }) => path);
  const files = { "r.conf": conf.replaceAll("ONE", one.host).replaceAll("TWO", two.host) };
  const machine = await testMachine(context, { files, env: { CONTAINERS_REGISTRIES_CONF: "@/r.conf" } });
  await using source = registrySource({ ...(await registryFromEnvironment(machine)), retries: 0 });

  for (const name of names) {
    const before = trail().length;
    const skopeo = ["--registries-conf", machine.path("r.conf"), "inspect", "--raw", `docker://${name}`];
    assert.notEqual((await outcomeOf("skopeo", skopeo)).status, 0);
    const theirs = since(before);
    await assert.rejects(source.image(name).manifest());
    assert.deepEqual(since(before + theirs.length), theirs, name);
  }
  assert.notEqual(trail().length, 0);
});

/** The requests for manifests, without the port, which is chance. */
function manifestsAsked({ host, requests }: RegistryDouble) {
  return requests
    .filter(({ path }) => path.includes("/manifests/"))
    .map(({ path, time }) => ({ path: `${host}${path}`, time }));
}
