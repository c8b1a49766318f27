import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { directory, file, opaque, tar, whiteout } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { program, root } from "./as-user.ts";
import { canaries, makePlace } from "./place.ts";

const runs = 4;
const folders = Array.from({ length: 40 }, (_, n) => `folder${n}`);

// Class E (CVE-2018-15664, CVE-2025-47290 and their kin): between looking and doing, somebody changes the tree. Landlock
// is off: what keeps the outside safe is that every name is resolved below an open handle, and no link is followed.
describe("no canary is touched while another process swaps directories for symlinks", {
  skip: skipUnlessRoot() || skipWithout("setpriv"),
}, () => {
  for (let run = 1; run <= runs; run++) test(`in run ${run}`, () => unpackUnderAttack());
});

async function unpackUnderAttack(): Promise<void> {
  const place = makePlace(root);
  using command = program();
  await using registry = await startRegistry();
  mkdirSync(place.target, { mode: 0o700 });
  const before = canaries(place);
  const attacker = fork(fileURLToPath(new URL("tamper.js", import.meta.url)), [place.target, place.outside]);
  try {
    let swaps = 0;
    await once(attacker, "message");
    attacker.on("message", (message: { swaps: number }) => {
      swaps = message.swaps;
    });
    const reference = stored(registry, "hostile/image", image(layers()));

    const args = ["--sandbox", "off", "--json", reference, place.target];
    const { status, stdout } = await command.run(root, args, join(place.directory, "home"));

    assert.deepEqual(canaries(place), before, "a canary was touched");
    assert.ok(status === 0 || (status === 1 && codeOf(stdout) !== "INTERNAL"), stdout);
    assert.ok(swaps >= 1000, `only ${swaps} swaps: this proved nothing`);
  } finally {
    attacker.kill();
    rmSync(place.directory, { recursive: true, force: true });
  }
}

function codeOf(stdout: string): string | undefined {
  return (JSON.parse(stdout) as { readonly error?: { readonly code?: string } }).error?.code;
}

/** Writes below every folder, again and again; hides it all, by a whiteout or as opaque; names the canaries' names. */
function layers(): Uint8Array[] {
  const names = [
    "secret",
    "program",
    "folder/child",
    "folder/x/y",
    ...Array.from({ length: 60 }, (_, n) => `file${n}`),
  ];
  const filled = tar(
    ...folders.map((folder) => directory(folder, { mode: 0o777, uid: 7, mtime: 7 })),
    ...names.flatMap((name) => folders.map((folder) => file(`${folder}/${name}`, "overwritten", { mode: 0o4777 }))),
  );
  const hidden = tar(...folders.map((folder, n) => (n % 2 === 0 ? whiteout(folder) : opaque(folder))));
  return [filled, hidden, filled, hidden, filled];
}
