import assert from "node:assert/strict";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Outcome } from "../support/command.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { ordinaryUser, program, root } from "./as-user.ts";
import { attacks, type HostileCase } from "./case.ts";
import { archiveCases } from "./cases-archives.ts";
import { imageCases } from "./cases-images.ts";
import { linkCases } from "./cases-links.ts";
import { canaries, makePlace, type Place, type User } from "./place.ts";

const cases = [...linkCases, ...archiveCases, ...imageCases];
const skip = skipUnlessRoot() || skipWithout("setpriv");

// Path safety must not rest on Landlock, so every image is tried without it too; and a user's own files are in reach of
// everything that runs as that user.
for (const sandbox of ["off", "require"]) {
  for (const [who, user] of Object.entries({ root, user: ordinaryUser })) {
    describe(`with --sandbox ${sandbox}, as ${who}, no canary is touched by`, { concurrency: 2, skip }, () => {
      const command = skip === false ? program() : undefined;
      after(() => command?.[Symbol.dispose]());
      for (const hostile of cases) {
        test(`${hostile.attack} (${attacks[hostile.attack]}): ${hostile.name}`, async () => {
          await using registry = await startRegistry();
          const place = makePlace(user);
          try {
            const args = ["--sandbox", sandbox, ...(hostile.args ?? []), "--json"];
            const run = (reference: string) =>
              command?.run(user, [...args, reference, place.target], join(place.directory, "home"));
            await attack(hostile, { registry, place, user, run });
          } finally {
            rmSync(place.directory, { recursive: true, force: true });
          }
        });
      }
    });
  }
}

interface Scene {
  readonly registry: RegistryDouble;
  readonly place: Place;
  readonly user: User;
  readonly run: (reference: string) => Promise<Outcome> | undefined;
}

async function attack(hostile: HostileCase, { registry, place, run }: Scene): Promise<void> {
  const before = canaries(place);
  const reference = hostile.serve(registry, place);
  const files = readdirSync(place.directory);

  const outcome = await run(reference);

  assert.deepEqual(canaries(place), before, "a canary was touched");
  assert.ok(outcome !== undefined);
  assert.equal(wordFor(outcome), hostile.outcome, outcome.stderr + outcome.stdout);
  const made = hostile.outcome === "contained" ? ["target"] : [];
  assert.deepEqual(readdirSync(place.directory).sort(), [...files, ...made].sort());
  for (const path of hostile.holds?.(place) ?? []) {
    assert.ok(lstatSync(join(place.target, "rootfs", path)), `${path} is inside`);
  }
  hostile.also?.({ place, registry, stdout: outcome.stdout, stderr: outcome.stderr });
}

/** "contained" for a success; else the code of the error. */
function wordFor({ status, stdout }: Outcome): string {
  const told = JSON.parse(stdout) as { readonly code?: string; readonly error?: { readonly code?: string } };
  return status === 0 ? "contained" : (told.error?.code ?? told.code ?? `exit status ${status}`);
}
