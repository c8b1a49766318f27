import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { repositoryFile } from "../support/repository.ts";
import { registryPage } from "./registry-page.ts";
import { registryClaims, registryRules, ruleSections } from "./registry-rules.ts";

test("every rule for registry clients has a test that names it", () => {
  const tested = new Set(registryClaims().flatMap(({ rules }) => rules));
  assert.deepEqual(
    registryRules.filter((rule) => !tested.has(rule)),
    [],
  );
});

test("each rule for registry clients says something, has a source, and stands once", () => {
  const rules = ruleSections.flatMap((section) => section.rules);
  const incomplete = rules.filter(({ says, sources }) => !says.endsWith(".") || sources.trim() === "");
  assert.deepEqual(incomplete, []);
  assert.deepEqual(registryRules, [...new Set(registryRules)]);
});

test("no test names a rule that there is not", () => {
  const known = new Set(registryRules);
  assert.deepEqual(
    registryClaims().filter(({ rules }) => rules.some((rule) => !known.has(rule))),
    [],
  );
});

test("no comment and no page cites a rule that there is not", () => {
  const known = new Set(registryRules);
  const cited = [...citing("src", /\.ts$/), ...citing("docs", /\.md$/)];
  assert.deepEqual(
    cited.filter(({ rule }) => !known.has(rule)),
    [],
  );
});

test("docs/registry-rules.md says the rules, their sources and their tests as they are", () => {
  assert.equal(readFileSync(repositoryFile("docs/registry-rules.md"), "utf8"), registryPage());
});

interface Citation {
  readonly rule: string;
  readonly file: string;
}

/** Every `R-n` in the files of a folder. */
function citing(folder: string, ending: RegExp): readonly Citation[] {
  const files = readdirSync(repositoryFile(folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    ending.test(name),
  );
  return files.flatMap((name) => {
    const file = `${folder}/${name}`;
    const rules = readFileSync(repositoryFile(file), "utf8").match(/\bR-\d+\b/g) ?? [];
    return rules.map((rule) => ({ rule, file }));
  });
}
