import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as library from "../src/index.ts";
import { OciUnpackError } from "../src/index.ts";
import { outcomeOf } from "./support/command.ts";
import { repositoryFile } from "./support/repository.ts";
import { scratch } from "./support/scratch.ts";

test("every TypeScript example in the documents compiles against the built package", async () => {
  // Inside the package, so that "oci-unpack" in an example means this package (Node's self-reference).
  const directory = fileURLToPath(repositoryFile("build/examples"));
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const docs = (await readdir(repositoryFile("docs"))).filter((name) => name.endsWith(".md"));
  const names: string[] = [];
  for (const page of ["README.md", ...docs.map((name) => `docs/${name}`)]) {
    for (const [index, example] of examplesIn(await readFile(repositoryFile(page), "utf8")).entries()) {
      const name = `${page.replace(/\W/g, "-")}-${index + 1}.ts`;
      await writeFile(join(directory, name), example);
      names.push(name);
    }
  }
  assert.ok(names.filter((name) => name.startsWith("README")).length >= 3);

  const compilerOptions = { rootDir: "..", noEmit: true, rewriteRelativeImportExtensions: false };
  const project = { extends: "../../tsconfig.json", compilerOptions, include: ["."], exclude: [] };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(project));
  const compiler = fileURLToPath(repositoryFile("node_modules/.bin/tsc"));
  const { status, stdout } = await outcomeOf(compiler, ["-p", directory]);
  assert.equal(stdout, "");
  assert.equal(status, 0);
});

test("every function of the library has an example in docs/library.md", async () => {
  const examples = examplesIn(await readFile(repositoryFile("docs/library.md"), "utf8")).join("\n");
  const called = new Set([...examples.matchAll(/\b(\w+)\(/g)].map(([, name = ""]) => name));
  const functions = Object.entries(library).filter(
    ([, value]) => typeof value === "function" && value !== OciUnpackError,
  );
  assert.deepEqual(
    functions.map(([name]) => name).filter((name) => !called.has(name)),
    [],
  );
});

test("README's examples are plain JavaScript, which the oldest Node that counts can read", async () => {
  await using place = await scratch();
  for (const [index, example] of examplesIn(await readFile(repositoryFile("README.md"), "utf8")).entries()) {
    const file = join(place.directory, `${index}.mjs`);
    await writeFile(file, example);
    const { status, stderr } = await outcomeOf(process.execPath, ["--check", file]);
    assert.equal(status, 0, stderr);
    // Node 20 and 22 have no such syntax, whatever this one has.
    assert.doesNotMatch(example, /\b(?:await )?using \w+ =/);
  }
});

function examplesIn(page: string): string[] {
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, example = ""]) => example);
}
