import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { skipUnlessNodeIsOpen, skipWithoutUserNamespaces } from "../hostile/as-user.ts";
import { half } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { imageRules } from "./cases-images.ts";
import { localRules } from "./cases-local.ts";
import { userRules } from "./cases-users.ts";
import { layerRules } from "./layer-rules.ts";
import { allRules, reasons } from "./numbers.ts";
import { assertImage, assertLenient, assertStrict, assertUser } from "./verdict.ts";

const skip = skipUnlessRoot();

describe("leniently", { skip }, () => {
  for (const rule of layerRules)
    test(`${rule.rule}: ${rule.claim}`, { skip: rule.skip ?? false }, () => assertLenient(rule));
});

describe("strictly", { skip }, () => {
  for (const rule of layerRules)
    test(`${rule.rule}: ${rule.claim}, or is refused`, { skip: rule.skip ?? false }, () => assertStrict(rule));
});

describe("from a registry or a place on this machine", { skip, concurrency: 2 }, () => {
  for (const rule of half([...imageRules, ...localRules])) {
    test(`${rule.rule}: ${rule.claim}`, () => assertImage(rule, false));
    if (rule.warnings === undefined) continue;
    test(`${rule.rule}: ${rule.claim}, and refused strictly`, () => assertImage(rule, true));
  }
});

describe("as an ordinary user", { skip: skip || skipWithout("setpriv"), concurrency: 2 }, () => {
  for (const rule of half(userRules.filter(({ caller }) => caller === undefined))) {
    test(`${rule.rule}: ${rule.claim}`, () => assertUser(rule));
  }
});

describe("as root of a user namespace", {
  skip: skipWithoutUserNamespaces() || skipUnlessNodeIsOpen(),
  concurrency: 2,
}, () => {
  for (const rule of half(userRules.filter(({ caller }) => caller !== undefined))) {
    test(`${rule.rule}: ${rule.claim}`, () => assertUser(rule));
  }
});

test("every rule has a case, or a reason why it has none", () => {
  const tested = new Set([...layerRules, ...imageRules, ...localRules, ...userRules].map(({ rule }) => rule));
  assert.deepEqual(
    allRules.filter((rule) => !tested.has(rule)),
    Object.keys(reasons),
  );
});
