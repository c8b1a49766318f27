import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Listing } from "../model/listing.ts";
import { stackText } from "../model/stack-text.ts";
import { applied } from "../rules/apply.ts";
import { removeTree } from "../support/remove-tree.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessOverlays } from "../support/tools.ts";
import { mounted } from "./mounted.ts";
import { stacked } from "./stacked.ts";

const first = Number(process.env.OCI_UNPACK_SEED ?? 1);
const stacks = Number(process.env.OCI_UNPACK_STACKS ?? (isThorough ? 150 : 60));

test("random layers make the same tree as an overlay as in one directory", {
  skip: skipUnlessOverlays(),
}, async () => {
  const place = mkdtempSync(join(tmpdir(), "oci-unpack-overlay-random-"));
  try {
    const cases = Array.from({ length: stacks }, (_, index) => {
      const stack = randomStack(first + index);
      const layers = stack.map(archived);
      return { stack, plain: applied(layers), made: stacked(layers, join(place, String(index)), "privileged") };
    });
    const good = cases.filter(({ plain, made }) => typeof plain.outcome !== "string" && made.failure === undefined);
    const listings = await mounted(good.map(({ made }) => ({ kind: "privileged", directories: made.directories })));
    for (const each of cases) {
      const { stack, plain, made } = each;
      const listing = listings[good.indexOf(each)];
      const text = `${stackText(stack)}\n${made.message ?? plain.message ?? ""}`;
      if (typeof plain.outcome === "string") assert.equal(made.failure, plain.outcome, text);
      else assert.deepEqual(listing && withoutLinks(listing), withoutLinks(plain.outcome), text);
      if (typeof plain.outcome !== "string")
        assert.deepEqual(
          made.warnings.filter((code) => code !== "LINK_COPIED"),
          plain.warnings,
          text,
        );
    }
    assert.ok(good.length > stacks / 2);
  } finally {
    removeTree(place);
  }
});

/** Hard links to files of lower layers are copies in an overlay, so that nothing is said of links here. */
function withoutLinks(listing: Listing): Listing {
  return Object.fromEntries(
    Object.entries(listing).map(([path, { sameFileAs: _sameFileAs, ...item }]) => [path, item]),
  );
}
