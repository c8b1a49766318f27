import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hardlinkRules } from "../rules/cases-hardlinks.ts";
import { replacementRules } from "../rules/cases-replacement.ts";
import { whiteoutRules } from "../rules/cases-whiteouts.ts";
import { expectedListing } from "../rules/expected.ts";
import type { LayerRule } from "../rules/rule.ts";
import { membersOf } from "./archive.ts";
import { modelled, Refusal } from "./model.ts";

/** The program is compared with the model, so the model must be right by itself: by each rule that speaks of trees. */
describe("the model obeys", () => {
  for (const rule of [...whiteoutRules, ...replacementRules, ...hardlinkRules]) {
    if (rule.outcome === "INVALID_ARCHIVE") continue; // there is no tree to speak of
    test(`${rule.rule}: ${rule.claim}`, () => obeys(rule));
  }
});

function obeys({ layers, options = {}, outcome, notText }: LayerRule): void {
  const { devices, ...others } = options;
  const wanted = devices === "create" ? ({ ...others, devices } as const) : others;
  const model = () => modelled(layers.map(membersOf), wanted);
  if (typeof outcome === "string") assert.throws(model, Refusal);
  else assert.deepEqual(model(), { ...expectedListing(outcome), ...notText });
}
