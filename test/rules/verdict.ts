import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ErrorCode, isOciUnpackError, type UnpackOptions, type UnpackResult, unpack } from "../../src/index.ts";
import { program } from "../hostile/as-user.ts";
import { makePlace } from "../hostile/place.ts";
import type { Listing } from "../model/listing.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { releaseTurn } from "../support/thorough.ts";
import { applied } from "./apply.ts";
import { type Caller, callers } from "./callers.ts";
import type { ImageRule } from "./cases-images.ts";
import type { UserRule } from "./cases-users.ts";
import { type ExpectedTree, expectedListing } from "./expected.ts";
import { readTree } from "./real-tree.ts";
import { type LayerRule, strictOutcome } from "./rule.ts";

/** Insists that a rule holds: throws an assertion's error where it does not. */
export function assertLenient(rule: LayerRule): void {
  const { warnings = [], skipped = [], layers, options, also } = rule;
  const found = underUmask(0o077, () => applied(layers, { ...(options && { options }), also }));
  assertOutcome(rule, found.outcome, rule.outcome, found.message);
  if (typeof rule.outcome === "string") return; // what was noted before an error is of no interest
  assert.deepEqual({ warnings: found.warnings, skipped: found.skipped }, { warnings, skipped });
}

/** Insists that `strict` turns every repair that the rule allows into an error, and changes nothing else. */
export function assertStrict(rule: LayerRule): void {
  const { layers, options } = rule;
  const { outcome, message } = applied(layers, { ...(options && { options }), strict: true });
  assertOutcome(rule, outcome, strictOutcome(rule), message);
}

function assertOutcome(rule: LayerRule, found: unknown, wanted: ExpectedTree | ErrorCode, message = ""): void {
  if (typeof wanted === "string") assert.equal(found, wanted, message === "" ? undefined : `${found}: ${message}`);
  else assert.deepEqual(found, { ...expectedListing(wanted), ...rule.notText }, message === "" ? undefined : message);
}

/** A caller's umask must not matter, so every rule meets one (M4). */
function underUmask<T>(mask: number, work: () => T): T {
  const before = process.umask(mask);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

/** Insists that an image comes out of a registry as its rule says, by the library's own `unpack`. */
export async function assertImage(rule: ImageRule, strict: boolean): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), "oci-unpack-rules-"));
  await using registry = await startRegistry();
  try {
    const directory = join(parent, "targets", "target");
    const source = join(parent, "source");
    for (const path of [source, dirname(directory)]) mkdirSync(path);
    rule.before?.(directory);
    const found = await unpacked(await rule.serve(registry, source), directory, { ...rule.options, strict });
    const outcome = strict && rule.warnings !== undefined ? "STRICT_VIOLATION" : rule.outcome;
    if (typeof outcome === "string") assert.equal(found.code, outcome, found.message);
    else {
      assert.equal(found.message, undefined);
      assert.deepEqual(readTree(join(directory, "rootfs")), expectedListing(outcome));
      assert.deepEqual(found.warnings, rule.warnings ?? []);
    }
    if (!strict) rule.also?.({ registry, directory });
  } finally {
    removeTree(parent);
  }
}

interface Unpacked {
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly warnings?: readonly string[];
}

let turn = releaseTurn;

/** In every other unpacking, files are made by several threads. */
function nextThreads(): number {
  turn += 1;
  return turn % 2 === 0 ? 4 : 2;
}

async function unpacked(reference: string, directory: string, options: UnpackOptions): Promise<Unpacked> {
  try {
    const { warnings } = await unpack(reference, directory, {
      platform: "linux/amd64",
      threads: nextThreads(),
      ...options,
    });
    return { warnings: Object.keys(warnings).sort() };
  } catch (error) {
    if (isOciUnpackError(error)) return error;
    throw error;
  }
}

/** Insists that somebody who is not root of the machine gets, from the real command, what the rule says. */
export async function assertUser(rule: UserRule): Promise<void> {
  const caller = callers[rule.caller ?? "an ordinary user"];
  const place = makePlace(caller.owner);
  const command = program();
  await using registry = await startRegistry();
  try {
    rule.before?.(place.directory);
    const reference = stored(registry, "some/image", image(rule.layers));
    const args = ["--json", "--quiet", "--threads", `${nextThreads()}`, ...(rule.args ?? []), reference, place.target];
    const { status, stdout, stderr } = await command.run(caller.user, args, join(place.directory, "home"));
    assert.equal(status, 0, stderr);
    const { warnings, skipped } = JSON.parse(stdout) as Pick<UnpackResult, "warnings" | "skipped">;
    assert.deepEqual(asCalled(readTree(join(place.target, "rootfs")), caller), expectedListing(rule.outcome));
    assert.deepEqual(
      { warnings: Object.keys(warnings).sort(), skipped: [...new Set(skipped.map(({ reason }) => reason))].sort() },
      { warnings: rule.warnings ?? [], skipped: rule.skipped ?? [] },
    );
  } finally {
    removeTree(place.directory);
  }
}

/** Gives owners the numbers that the caller has for them, in whose own eyes it is 0: the same words describe all callers. */
function asCalled(listing: Listing, { owner, ids }: Caller): Listing {
  const renamed = (text: string) =>
    text
      .split(":")
      .map((id, which) => {
        const number = Number(id) - (which === 0 ? owner.uid : owner.gid);
        return number >= 0 && number < ids ? String(number) : id;
      })
      .join(":");
  return Object.fromEntries(
    Object.entries(listing).map(([path, item]) => [path, { ...item, owner: renamed(item.owner) }]),
  );
}
