import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expectedListing } from "../rules/expected.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { type LayerRule, strictOutcome } from "../rules/rule.ts";
import { merged } from "./merged.ts";

/** What a file system or the kernel, and no rule about layers, makes of an entry. */
const ofTheDisk = new Set(["M9", "M11"]);
const rules = layerRules.filter(({ rule }) => !ofTheDisk.has(rule));

describe("the tree in memory keeps to the rules", () => {
  for (const rule of rules) test(`${rule.rule}: ${rule.claim}`, () => assertMerged(rule, false));
});

describe("strictly", () => {
  for (const rule of rules) test(`${rule.rule}: ${rule.claim}, or is refused`, () => assertMerged(rule, true));
});

function assertMerged(rule: LayerRule, strict: boolean): void {
  const { layers, options, warnings = [], skipped = [], notText } = rule;
  const found = merged(layers, { ...(options && { options }), strict });
  const outcome = strict ? strictOutcome(rule) : rule.outcome;
  const wanted = typeof outcome === "string" ? outcome : { ...expectedListing(outcome), ...notText };
  assert.deepEqual(found.outcome, wanted, found.message);
  if (strict || typeof outcome === "string") return;
  assert.deepEqual({ warnings: found.warnings, skipped: found.skipped }, { warnings, skipped });
}
