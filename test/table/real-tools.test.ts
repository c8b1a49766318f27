import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { list, read, type VerifiedLayer } from "../../src/index.ts";
import { dockerRegistry } from "../support/docker-registry.ts";
import { fixtureImages, writeFixture } from "../support/fixture-images.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink as link, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

const platform = "linux/amd64";

function noise(seed: number, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(String(seed)).digest();
}

function proofs(layers: readonly VerifiedLayer[] | undefined): readonly string[] | undefined {
  return layers?.map(({ verified }) => verified);
}

/** What a whole reading and a partial one tell of an image is the same; the latter read tables alone. */
async function assertReadByTables(name: string): Promise<void> {
  const all = { platform, recursive: true, digest: true };
  const whole = await list(name, "/", all);
  const partial = await list(name, "/", { ...all, partial: true });
  assert.deepEqual(partial.entries, whole.entries);
  assert.ok(proofs(partial.verifiedLayers)?.every((verified) => verified === "table"));
  const reading = read(name, "etc/small", { platform, partial: true });
  assert.equal(Buffer.compare(await buffer(reading), noise(1, 10_000)), 0);
  const { fetchedBytes, verifiedLayers } = await reading.result;
  assert.ok(proofs(verifiedLayers)?.includes("table"));
  assert.ok(fetchedBytes < 200_000, String(fetchedBytes));
}

test("a layer that skopeo made zstd:chunked is read by its table, out of a registry", {
  skip: skipWithout("skopeo", "docker-registry"),
}, async () => {
  await using place = await scratch();
  await using registry = await dockerRegistry();
  const archive = tar(
    directory("etc", { xattrs: { "user.a": "b" } }),
    file("etc/small", noise(1, 10_000), { mtime: { seconds: 1_700_000_000, nanoseconds: 5 } }),
    hardlink("etc/link", "etc/small"),
    link("etc/alias", "small"),
    file("zeros", Buffer.alloc(300_000)),
    ...Array.from({ length: 6 }, (_, number) => file(`usr/caf\u00e9 ${number}`, noise(number + 2, 500_000))),
  );
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "a", images: [image([archive])] }]);
  const name = `${registry.host}/chunked:latest`;
  execFileSync("skopeo", [
    ...["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", "--dest-compress-format", "zstd:chunked"],
    ...[`oci:${join(place.directory, "layout")}:a`, `docker://${name}`],
  ]);
  await assertReadByTables(name);
});

test("so is one that buildah pushed", {
  skip: skipUnlessRoot() || skipWithout("buildah", "docker-registry"),
}, async () => {
  await using place = await scratch();
  await using registry = await dockerRegistry();
  const context = join(place.directory, "context");
  await mkdir(join(context, "etc"), { recursive: true });
  await writeFile(join(context, "etc/small"), noise(1, 10_000));
  await symlink("small", join(context, "etc/alias"));
  for (let number = 0; number < 6; number += 1) await writeFile(join(context, `f${number}`), noise(number, 500_000));
  const name = `${registry.host}/chunked:latest`;
  const storage = [
    "--root",
    join(place.directory, "storage"),
    "--runroot",
    join(place.directory, "run"),
    "--storage-driver",
    "vfs",
  ];
  const buildah = (...args: readonly string[]) =>
    execFileSync("buildah", [...storage, ...args], {
      env: { ...process.env, BUILDAH_ISOLATION: "chroot" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  const container = buildah("from", "scratch");
  buildah("copy", container, context, "/");
  buildah("commit", "--quiet", container, "made");
  buildah("push", "--quiet", "--tls-verify=false", "--compression-format", "zstd:chunked", "made", `docker://${name}`);
  await assertReadByTables(name);
});

test("so is an eStargz image that another tool made, but for what is most of it", async (t) => {
  const fixture = fixtureImages().find((each) => each.name === "small-estargz.oci.tar");
  if (fixture === undefined) return t.skip("no images of other tools lie beside this checkout");
  await using place = await scratch();
  const name = `oci-archive:${await writeFixture(fixture, place.directory)}`;
  const all = { platform: "linux/arm64", recursive: true, digest: true };
  const partial = await list(name, "/", { ...all, partial: true });
  assert.deepEqual(proofs(partial.verifiedLayers), ["table"]);
  // This one has its table behind the end of its archive.
  const entries = partial.entries.filter(({ path }) => path !== "stargz.index.json");
  assert.deepEqual(entries, (await list(name, "/", all)).entries);
  const reading = read(name, "README.md", { platform: "linux/arm64", partial: true });
  const whole = read(name, "README.md", { platform: "linux/arm64" });
  assert.equal(Buffer.compare(await buffer(reading), await buffer(whole)), 0);
  assert.deepEqual(proofs((await reading.result).verifiedLayers), ["layer"]);
});
