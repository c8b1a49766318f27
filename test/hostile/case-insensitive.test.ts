import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { program, root } from "./as-user.ts";
import { canaries, makePlace } from "./place.ts";

/** Not every machine that runs tests lets them mount a file system of user space, so this may be left out even in CI. */
const hasFuse = ["/dev/fuse", "/usr/bin/lowntfs-3g"].every((path) => existsSync(path));
const skip = skipUnlessRoot() || skipWithout("setpriv") || (hasFuse ? false : "no lowntfs-3g, or no /dev/fuse");

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

/** NTFS with a driver that can be told to ignore case: the one such file system that Debian can always mount. */
function mountWithoutCase(parent: string): Disposable & { readonly directory: string } {
  const image = join(parent, "ntfs");
  const directory = join(parent, "mounted");
  let isMounted = true;
  writeFileSync(image, "");
  truncateSync(image, 16 * 1024 * 1024);
  mkdirSync(directory);
  execFileSync("mkntfs", ["-F", "-Q", image], { stdio: "ignore" });
  execFileSync("lowntfs-3g", ["-o", "ignore_case,permissions", image, directory], { stdio: "ignore" });
  return {
    directory,
    [Symbol.dispose]() {
      if (isMounted) execFileSync("umount", [directory]);
      isMounted = false;
    },
  };
}
