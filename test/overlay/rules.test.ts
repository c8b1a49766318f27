import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { OverlayKind } from "../../src/base/option-words.ts";
import type { Listing } from "../model/listing.ts";
import { expectedListing, is } from "../rules/expected.ts";
import { layerRules } from "../rules/layer-rules.ts";
import type { LayerRule } from "../rules/rule.ts";
import { removeTree } from "../support/remove-tree.ts";
import { skipUnlessOverlays } from "../support/tools.ts";
import { mounted } from "./mounted.ts";
import { type Stacked, stacked } from "./stacked.ts";

// Every rule about layers, once more: the layers lie in directories of their own, the kernel's overlayfs puts them
// together, and what it shows must be what the rule says of a single directory.

for (const kind of ["privileged", "userxattr"] as const) {
  describe(`mounted as an overlay (${kind})`, { skip: skipUnlessOverlays() }, () => {
    const place = mkdtempSync(join(tmpdir(), "oci-unpack-overlay-rules-"));
    const results = new Map<LayerRule, { readonly made: Stacked; readonly listing?: Listing }>();
    before(async () => {
      const made = layerRules.map((rule, index) => stackedBy(rule, join(place, String(index)), kind));
      const good = layerRules.flatMap((rule, index) => (made[index]?.failure === undefined ? [rule] : []));
      const listings = await mounted(
        good.map((rule) => ({ kind, directories: made[layerRules.indexOf(rule)]?.directories ?? [] })),
      );
      for (const [index, rule] of layerRules.entries()) {
        const listing = listings[good.indexOf(rule)];
        results.set(rule, { made: made[index] as Stacked, ...(listing && { listing }) });
      }
    });
    after(() => removeTree(place));

    for (const rule of layerRules) test(`${rule.rule}: ${rule.claim}`, () => assertRule(rule));

    function assertRule(rule: LayerRule): void {
      const { made, listing } = results.get(rule) ?? {};
      const outcome = otherwise(rule, kind) ?? rule.outcome;
      if (typeof outcome === "string") return assert.equal(made?.failure, outcome, made?.message);
      const expected = { ...expectedListing(outcome), ...rule.notText };
      // A hard link to a file of a lower layer is a copy, and reported as one.
      const isCopied =
        made?.warnings.includes("LINK_COPIED") === true && rule.warnings?.includes("LINK_COPIED") !== true;
      assert.deepEqual(listing, isCopied ? withoutLinks(expected) : expected, made?.message);
    }
  });
}

/** What a rule says of overlays that it does not say of a single directory. */
function otherwise({ rule, options, outcome }: LayerRule, kind: OverlayKind): LayerRule["outcome"] | undefined {
  // Such a device would be a whiteout.
  if (rule === "T29" && options?.devices === "create") return "ENTRY_REFUSED";
  if (rule !== "M8" || typeof outcome === "string") return undefined;
  // The layer has them escaped; the overlay shows them as the image states them, and does not obey.
  const [onDirectory, onFile] = escapedAttributes[kind];
  return { d: is.directory({ xattrs: onDirectory }), a: is.file("1", { xattrs: onFile }) };
}

const escapedAttributes = {
  privileged: [{ "trusted.overlay.opaque": "y" }, { "trusted.overlay.metacopy": "" }],
  userxattr: [{ "user.overlay.opaque": "y" }, { "user.overlay.redirect": "/etc/shadow" }],
} as const;

function stackedBy({ layers, options }: LayerRule, place: string, kind: OverlayKind): Stacked {
  return stacked(layers, place, kind, options);
}

/** A tree in which files with several names are copies. */
function withoutLinks(listing: Listing): Listing {
  return Object.fromEntries(
    Object.entries(listing).map(([path, { sameFileAs: _sameFileAs, ...item }]) => [path, item]),
  );
}
