import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { repositoryFile } from "../support/repository.ts";
import { attacks } from "./case.ts";
import { hostileCases, testedElsewhere } from "./catalogue.ts";

// That the suite is complete, wherever it can run: the images themselves need root.

test("every class of attack has a hostile image, or a test of its own", () => {
  const classes = new Set([...hostileCases.map(({ attack }) => attack), ...Object.keys(testedElsewhere)]);
  assert.deepEqual([...classes].sort(), Object.keys(attacks));
  assert.equal(Object.keys(attacks).join(""), "ABCDEFGHIJKLMNOPQ");
});

test("there are many hostile images, each with a name of its own", () => {
  const names = hostileCases.map(({ attack, name }) => `${attack}: ${name}`);
  assert.deepEqual([...new Set(names)], names);
  assert.ok(names.length >= 100, `${names.length} are left`);
});

test("attacks that are more than an image have the tests that they are said to have", () => {
  const source = readFileSync(repositoryFile("test/hostile/tampering.test.ts"), "utf8");
  for (const title of Object.values(testedElsewhere)) assert.ok(source.includes(`test("${title}"`), title);
});
