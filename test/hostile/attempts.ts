import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { isThorough, releaseTurn, third } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { ordinaryUser, program, root } from "./as-user.ts";
import { attacks, type HostileCase } from "./case.ts";
import { hostileCases } from "./catalogue.ts";
import { Library } from "./library.ts";
import { canaries, makePlace, type User } from "./place.ts";
import { type Attempt, byCommand, byLibrary } from "./unpacking.ts";

type Sandbox = "off" | "require";

const settings = (["off", "require"] as const).flatMap((sandbox) => [
  { sandbox, who: "root", user: root },
  { sandbox, who: "a user", user: ordinaryUser },
]);

/**
 * Starting the command takes several times as long as unpacking a small image. So each case meets the command in one
 * setting, the cases taking turns, and the library in the others, another setting with each release of Node. With
 * OCI_UNPACK_HOSTILE=command it is always the command. Unless everything is tried, each case has that one setting only,
 * a third of the cases is tried with one release of Node and others with the next, and three of four groups of them meet the
 * library. In one of its settings a case meets several threads.
 */
const onlyCommand = process.env.OCI_UNPACK_HOSTILE === "command";

/**
 * Declares the tests of all hostile images in one sandbox, as root and as a user: a user's own files are in reach of
 * everything that runs as that user. Each sandbox has a file of its own, so that one has time while the other one runs.
 */
export function attackAll(chosen: Sandbox): void {
  for (const [turn, { sandbox, who, user }] of settings.entries()) {
    if (sandbox !== chosen) continue;
    const skip = skipUnlessRoot() || skipWithout("setpriv") || (sandbox === "require" && skipWithoutLandlock());
    describe(`with --sandbox ${sandbox}, as ${who}, no canary is touched by`, { concurrency: 2, skip }, () => {
      if (skip !== false) return;
      const command = program();
      const library = new Library(command, user);
      after(() => library[Symbol.dispose]());
      for (const [index, hostile] of third([...hostileCases.entries()])) {
        const commandsTurn = (index + releaseTurn) % settings.length;
        if (!isThorough && turn !== commandsTurn) continue;
        const isInFull = isThorough || Math.floor(index / settings.length) % 4 === 0;
        const isCommandsTurn = onlyCommand || (turn === commandsTurn && isInFull);
        const threads = (index + turn + releaseTurn) % settings.length === 0 ? 4 : 2;
        const attempt = isCommandsTurn
          ? byCommand(command, user, sandbox, threads)
          : byLibrary(library, sandbox, threads);
        test(`${hostile.attack} (${attacks[hostile.attack]}): ${hostile.name}`, () => attack(hostile, user, attempt));
      }
    });
  }
}

async function attack(hostile: HostileCase, user: User, attempt: Attempt): Promise<void> {
  await using registry = await startRegistry();
  const place = makePlace(user);
  try {
    const before = canaries(place);
    const reference = hostile.serve(registry, place);
    const files = readdirSync(place.directory);

    const { word, printed } = await attempt(hostile, reference, place);

    assert.deepEqual(canaries(place), before, "a canary was touched");
    assert.equal(word, hostile.outcome, printed);
    const made = hostile.outcome === "contained" ? ["target"] : [];
    assert.deepEqual(readdirSync(place.directory).sort(), [...files, ...made].sort());
    for (const path of hostile.holds?.(place) ?? []) {
      assert.ok(lstatSync(join(place.target, "rootfs", path)), `${path} is inside`);
    }
    hostile.also?.({ place, registry, printed });
  } finally {
    removeTree(place.directory);
  }
}
