import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Applied } from "../rules/apply.ts";
import { layerRules } from "../rules/layer-rules.ts";
import type { LayerRule } from "../rules/rule.ts";
import { shareOf } from "../support/thorough.ts";
import { type BackEndName, backEnds, exceptions, expectedOf, isMeant } from "./back-ends.ts";

// Every rule about layers, through everything that layers can be applied to: each must make the same tree, and report the
// same repairs and the same things left out, or stand with its reason among the exceptions.

const names = Object.keys(backEnds) as BackEndName[];

for (const [number, name] of names.entries()) {
  const { skip, results } = backEnds[name];
  for (const strict of [false, true]) {
    describe(`${name}, ${strict ? "strictly" : "leniently"}`, { skip }, () => {
      const possible = layerRules.filter((rule) => expectedOf(rule, name, strict) !== undefined);
      const rules = shareOf(strict ? 4 : 2, possible, number);
      const found = new Map<LayerRule, Applied>();
      before(async () => {
        for (const [index, result] of (await results(rules, strict)).entries()) {
          found.set(rules[index] as LayerRule, result);
        }
      });
      for (const rule of rules) {
        const title = `${rule.rule}: ${rule.claim}${strict ? ", or is refused" : ""}`;
        // What cannot be made here can be in memory.
        test(title, { skip: name !== "in memory" && (rule.skip ?? false) }, () => {
          const { outcome, message, ...notes } = found.get(rule) as Applied;
          const expected = expectedOf(rule, name, strict);
          assert.deepEqual(outcome, expected?.outcome, message);
          // What was noted before an error is of no interest.
          if (typeof outcome === "string") return;
          assert.deepEqual(notes, { warnings: expected?.warnings, skipped: expected?.skipped });
        });
      }
    });
  }
}

test("each exception is one: it is of some rule's case, and only one is", () => {
  for (const exception of exceptions) {
    for (const name of exception.backEnds) {
      const rules = layerRules.filter((rule) => isMeant(exception, rule, name));
      assert.ok(rules.length > 0, `${exception.rule}: ${exception.claim}`);
      for (const rule of rules) assert.equal(exceptions.filter((each) => isMeant(each, rule, name)).length, 1);
    }
  }
});
