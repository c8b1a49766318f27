import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { mountWithoutCase, skipWithoutCaseless } from "../support/without-case.ts";
import { program, root } from "./as-user.ts";
import { canaries, makePlace } from "./place.ts";

const skip = skipUnlessRoot() || skipWithout("setpriv") || skipWithoutCaseless();

type Layers = (outside: string) => readonly Uint8Array[];

// The upper-case names come last: this driver stores all names in lower case.
const collisions: Readonly<Record<string, Layers>> = {
  "two files": () => [tar(file("a", "1"), file("A", "2"))],
  "files of two layers": () => [tar(file("a", "1")), tar(file("A", "2"))],
  "a directory and a symlink to the outside": (outside) => [
    tar(directory("foo"), file("foo/a", "1"), symlink("FOO", outside), file("FOO/secret", "overwritten")),
  ],
  "a symlink to the outside and a directory": (outside) => [
    tar(symlink("foo", outside), directory("FOO"), file("FOO/secret", "overwritten")),
  ],
};

// T24: where the file system takes two names for one, an image that has both cannot be unpacked there; it must not become
// another image, or reach through one name what the other forbids (CVE-2021-37713 and its kin).
for (const [title, layers] of Object.entries(collisions)) {
  test(`${title} whose names differ in case are refused where the file system knows no case`, { skip }, async () => {
    const place = makePlace(root);
    const command = program();
    using mounted = mountWithoutCase(place.directory);
    await using registry = await startRegistry();
    try {
      const before = canaries(place);
      const reference = stored(registry, "hostile/image", image(layers(place.outside)));
      const target = join(mounted.directory, "target");
      const args = ["--sandbox", "off", "--json", reference, target];

      const { status, stdout } = await command.run(root, args, join(place.directory, "home"));

      assert.equal(status, 1, stdout);
      assert.equal(JSON.parse(stdout).error.code, "FILE_SYSTEM", stdout);
      assert.deepEqual(canaries(place), before);
      assert.deepEqual(readdirSync(mounted.directory), []);
    } finally {
      mounted[Symbol.dispose]();
      removeTree(place.directory);
    }
  });
}
