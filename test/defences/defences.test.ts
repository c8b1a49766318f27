import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { repositoryFile } from "../support/repository.ts";
import { groups } from "./defence.ts";
import { defences } from "./defences.ts";
import { page } from "./page.ts";

// That each of them matters takes minutes to show: `npm run defences` does.

test("the files that docs/safety.md names are there, and so are the tests", () => {
  const paths = defences.flatMap(({ file, test: [name] }) => [file, `test/${name}.test.ts`]);
  assert.deepEqual(
    paths.filter((path) => !existsSync(repositoryFile(path))),
    [],
  );
});

test("what a defence is taken away by stands in its file, once", () => {
  const elsewhere = defences.filter(
    ({ file, without: [text] }) => readFileSync(repositoryFile(file), "utf8").split(text).length !== 2,
  );
  assert.deepEqual(elsewhere, []);
});

test("there is a defence against every class of attack", () => {
  const known = new Set(defences.map(({ group }) => group));
  assert.deepEqual([...known].sort(), Object.keys(groups).sort());
});

test("docs/safety.md lists the defences as they are", () => {
  assert.ok(readFileSync(repositoryFile("docs/safety.md"), "utf8").includes(page(defences)));
});
