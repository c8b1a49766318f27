import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { directory, file, opaque, tar, whiteout } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { program, root } from "./as-user.ts";
import { Library } from "./library.ts";
import { canaries, makePlace } from "./place.ts";

const fewestRuns = isThorough ? 40 : 5;
/** As many are tried until some of them were disturbed: a machine that is busy may give the attacker no time meanwhile. */
const mostRuns = 80;
const skip = skipUnlessRoot() || skipWithout("setpriv");

// Class E (CVE-2018-15664, CVE-2025-47290 and their kin): between looking and doing, somebody changes the tree. Landlock
// is off: what keeps the outside safe is that every name is resolved below an open handle, and no link is followed.
test("no canary is touched while another process swaps directories for symlinks", { skip }, async (context) => {
  const place = makePlace(root);
  const targets = join(place.directory, "targets");
  const command = program();
  using library = new Library(command, root);
  await using registry = await startRegistry();
  const reference = stored(registry, "hostile/image", image(layers()));
  mkdirSync(targets);
  const before = canaries(place);
  const attacker = fork(fileURLToPath(new URL("tamper.js", import.meta.url)), [targets, place.outside]);
  let swaps = 0;
  attacker.on("message", (count: number) => {
    swaps = count;
  });
  try {
    await once(attacker, "message");
    const words = new Map<string, number>();
    for (let run = 0; run < fewestRuns || (words.size < 2 && run < mostRuns); run++) {
      const options = { sandbox: "off", threads: run % 2 === 0 ? 4 : 2 } as const;
      const { word, message } = await library.unpack(reference, join(targets, `${run}`), options);
      words.set(word, (words.get(word) ?? 0) + 1);
      assert.deepEqual(canaries(place), before, "a canary was touched");
      assert.notEqual(word, "INTERNAL", message);
      assert.notEqual(word, "crash", message);
    }
    const ends = [...words].map(([word, count]) => `${count} × ${word}`).join(", ");
    const collisions =
      words.size > 1 ? "" : ": nobody was in anybody's way, and only the runs themselves were contained";
    context.diagnostic(`${swaps} swaps, ${ends}${collisions}`);
  } finally {
    attacker.kill("SIGKILL");
    await once(attacker, "exit");
    removeTree(place.directory);
  }
});

for (const [when, path] of Object.entries({
  "before it is used": /\/manifests\//,
  "before it is emptied": /\/blobs\//,
})) {
  test(`no canary is touched when the staging directory itself is swapped ${when}`, { skip }, async () => {
    const place = makePlace(root);
    const command = program();
    using library = new Library(command, root);
    await using registry = await startRegistry();
    try {
      const before = canaries(place);
      const { target, outside } = place;
      const reference = stored(registry, "hostile/image", image([tar(file("secret", "1"), file("../x"))]));
      registry.always(path, (reply) => {
        swapStaging(target, outside);
        return reply;
      });

      const { word, message } = await library.unpack(reference, target, { sandbox: "off" });

      assert.deepEqual(canaries(place), before, "a canary was touched");
      assert.notEqual(word, "contained", message);
      assert.ok(
        readdirSync(target).some((name) => name.endsWith(".away")),
        "it was swapped",
      );
    } finally {
      removeTree(place.directory);
    }
  });
}

/** Puts a symlink to the outside in the place of the directory that the image is being unpacked into. */
function swapStaging(target: string, outside: string): void {
  for (const name of readdirSync(target).filter((found) => /^\.rootfs-\w+$/.test(found))) {
    const staging = join(target, name);
    if (lstatSync(staging).isSymbolicLink()) continue;
    renameSync(staging, `${staging}.away`);
    symlinkSync(outside, staging);
    return;
  }
}

/** Writes below every folder, again and again; hides it all, by a whiteout or as opaque; uses the canaries' names. */
function layers(): Uint8Array[] {
  const folders = Array.from({ length: 10 }, (_, n) => `folder${n}`);
  const names = ["secret", "program", "folder/child", "folder/x/y", "a", "b", "c"];
  const filled = tar(
    ...folders.map((folder) => directory(folder, { mode: 0o777, uid: 7, mtime: 7 })),
    ...names.flatMap((name) => folders.map((folder) => file(`${folder}/${name}`, "overwritten", { mode: 0o4777 }))),
  );
  const hidden = tar(...folders.map((folder, n) => (n % 2 === 0 ? whiteout(folder) : opaque(folder))));
  return [filled, hidden, filled, hidden, filled];
}
