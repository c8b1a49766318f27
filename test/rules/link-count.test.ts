import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { UnpackResult } from "../../src/index.ts";
import { outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { scratch } from "../support/scratch.ts";
import { file, hardlink, tar } from "../support/tar-builder.ts";
import { skipUnlessMounting } from "../support/tools.ts";

/** As many names may a file of ext4 have (Linux, fs/ext4/ext4.h, EXT4_LINK_MAX). */
const mostNames = 65_000;
const skip = skipUnlessMounting("mkfs.ext4");

/** `sh -c script sh PLACE COMMAND…`: makes a small file system at PLACE, and says what the command made there. */
const script = `
  set -e
  place=$1; shift
  truncate -s 64M "$place.ext4"
  mkfs.ext4 -q -F -O ^has_journal "$place.ext4"
  mkdir "$place"
  mount -o loop "$place.ext4" "$place"
  status=0
  "$@" || status=$?
  cd "$place/target/rootfs" && stat --format '%n %h %u %a %s' first name-2 name-65001 name-65002 >&2
  exit $status`;

test("H15: names of a file beyond those that its file system allows are copies of it, and reported", {
  skip,
}, async () => {
  await using stage = await scratch();
  await chmod(stage.directory, 0o700);
  const place = join(stage.directory, "place");
  const layout = join(stage.directory, "layout");
  const names = Array.from({ length: mostNames + 1 }, (_, index) => `name-${index + 2}`);
  const attributes = { mode: 0o4711, uid: 5 };
  const links = Buffer.concat(names.map((name) => hardlink(name, "first", attributes)));
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("first", "content", attributes), links)])] }]);

  const command = [process.execPath, commandEntry, "--json", "--quiet", `oci:${layout}:x`, join(place, "target")];
  const args = ["--mount", "sh", "-c", script, "sh", place, ...command];
  const { status, stdout, stderr } = await outcomeOf("unshare", args);

  assert.equal(status, 0, stderr);
  assert.deepEqual((JSON.parse(stdout) as UnpackResult).warnings, { LINK_COPIED: 2 });
  assert.deepEqual(stderr.trim().split("\n").slice(-4), [
    `first ${mostNames} 5 4711 7`,
    `name-2 ${mostNames} 5 4711 7`,
    "name-65001 1 5 4711 7",
    "name-65002 1 5 4711 7",
  ]);
});
