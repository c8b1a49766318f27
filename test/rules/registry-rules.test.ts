import assert from "node:assert/strict";
import { test } from "node:test";
import { registryClaims, registryDepartures, registryReasons, registryRules } from "./registry-rules.ts";

test("every rule for registry clients has a test that names it, or a reason why it has none", () => {
  const tested = new Set(registryClaims().flatMap(({ rules }) => rules));
  assert.deepEqual(
    registryRules.filter((rule) => !tested.has(rule)),
    Object.keys(registryReasons),
  );
});

test("what is not done of a rule is told of rules that there are", () => {
  assert.deepEqual(
    Object.keys(registryDepartures).filter((rule) => !registryRules.includes(rule)),
    [],
  );
});

test("no test names a rule that there is not", () => {
  const known = new Set(registryRules);
  assert.deepEqual(
    registryClaims().filter(({ rules }) => rules.some((rule) => !known.has(rule))),
    [],
  );
});
