import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Image } from "../../src/image/resolve.ts";
import type { UnpackOptions } from "../../src/index.ts";
import { AddedLayer } from "../../src/operation/added-layer.ts";
import { decisive } from "../../src/operation/decisive.ts";
import { settle } from "../../src/operation/options.ts";
import { keyOf } from "../../src/store/kept-results.ts";
import { scratch } from "../support/scratch.ts";

const image = { digest: `sha256:${"1".repeat(64)}`, platform: { os: "linux", architecture: "arm64" } } as Image;

async function keyFor(options: UnpackOptions = {}, of: Image = image): Promise<string> {
  await using added = await AddedLayer.open(options.add, options.sourceDateEpoch);
  return keyOf(decisive(settle(options), of, added));
}

test("every option that decides what becomes of an image is a part of the key", async () => {
  await using place = await scratch();
  const source = join(place.directory, "init");
  await writeFile(source, "", { mode: 0o755 });
  const add = [{ source, target: "/init" }];
  const different: readonly UnpackOptions[] = [
    {},
    { include: ["etc"] },
    { exclude: ["etc"] },
    { include: ["etc", "usr"] },
    { devices: "create" },
    { keepDirlinks: true },
    { xattrInclude: ["user.overlay.*"] },
    { xattrExclude: ["user.overlay.*"] },
    { sourceDateEpoch: 1 },
    { owner: "ignore" },
    { recordOwners: true },
    { uidMap: [{ containerID: 0, hostID: 1000, size: 1 }] },
    { gidMap: [{ containerID: 0, hostID: 1000, size: 1 }] },
    { strict: true },
    { sandbox: "off" },
    { limits: { totalBytes: 5 } },
    { limits: { entries: 5 } },
    { add },
    { add: [{ source, target: "/sbin/init" }] },
    { add: [{ source, target: "/init", uid: 1 }] },
    { add, sourceDateEpoch: 1 },
  ];
  const keys = await Promise.all(different.map((options) => keyFor(options)));
  keys.push(await keyFor({}, { ...image, digest: `sha256:${"2".repeat(64)}` } as Image));
  keys.push(await keyFor({}, { ...image, platform: { os: "linux", architecture: "amd64" } } as Image));
  assert.equal(new Set(keys).size, keys.length);
});

test("what decides nothing is no part of the key", async () => {
  const same: readonly UnpackOptions[] = [
    { keep: true },
    { devices: "skip", sandbox: "require", strict: false },
    { limits: { parallelDownloads: 1, manifestBytes: 5 } },
    { platform: "linux/arm64", signal: new AbortController().signal, onEvent() {}, approve() {} },
  ];
  for (const options of same) assert.equal(await keyFor(options), await keyFor());
});
