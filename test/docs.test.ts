import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryFile } from "./support/repository.ts";

const unions = [
  { union: "ErrorCode", declaredIn: "src/base/errors.ts", heading: "## Error codes" },
  { union: "WarningCode", declaredIn: "src/base/events.ts", heading: "## Warning codes" },
  { union: "SkipReason", declaredIn: "src/base/events.ts", heading: "## Skip reasons" },
] as const;

for (const { union, declaredIn, heading } of unions) {
  test(`docs/errors.md explains every ${union}, and none that does not exist`, async () => {
    const declared = membersOf(union, await readFile(repositoryFile(declaredIn), "utf8"));
    const documented = rowsBelow(heading, await readFile(repositoryFile("docs/errors.md"), "utf8"));
    assert.ok(declared.length > 5, "the declaration was found");
    assert.deepEqual(documented.sort(), declared.sort());
  });
}

test("docs/errors.md explains every fact of an error, and none that does not exist", async () => {
  const source = await readFile(repositoryFile("src/base/errors.ts"), "utf8");
  const declaration = /export interface ErrorDetails \{(.*?)\n\}/s.exec(source)?.[1] ?? "";
  const declared = [...declaration.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = ""]) => name);
  const page = await readFile(repositoryFile("docs/errors.md"), "utf8");
  const [, table = ""] = /^## Facts of an error$(.*?)^```/ms.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = ""]) => cell.match(/\w+/g) ?? []);
  assert.ok(declared.length > 5, "the declaration was found");
  assert.deepEqual(rows.sort(), declared.sort());
});

const topPages = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"] as const;
const docs = (await readdir(repositoryFile("docs"), { recursive: true }))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

test("every link between the documents leads somewhere", async () => {
  const pages = [...topPages, "bench/README.md", ...docs];
  const broken: string[] = [];
  for (const page of pages) {
    const base = repositoryFile(page);
    for (const target of localLinks(await readFile(base, "utf8"))) {
      await readFile(new URL(target, base)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EISDIR") broken.push(`${page}: ${target}`);
      });
    }
  }
  assert.deepEqual(broken, []);
});

test("prose is wrapped at 120 columns", async () => {
  const tooLong: string[] = [];
  for (const page of [...topPages, "bench/README.md", ...docs]) {
    const text = (await readFile(repositoryFile(page), "utf8")).replaceAll(/^ *```.*?^ *```$/gms, "");
    for (const [index, line] of text.split("\n").entries()) {
      if ([...line].length > 120 && !line.startsWith("|") && / /.test(line.trim()))
        tooLong.push(`${page}:${index + 1}`);
    }
  }
  assert.deepEqual(tooLong, []);
});

test("README leads to the index of the documents, and that to every page", async () => {
  assert.ok(localLinks(await readFile(repositoryFile("README.md"), "utf8")).includes("docs/README.md"));
  const index = await readFile(repositoryFile("docs/README.md"), "utf8");
  const links = localLinks(index).map((target) => join("docs", target));
  const pages = [...docs, ...topPages, "bench/README.md"].filter((page) => page !== "docs/README.md");
  assert.deepEqual(
    pages.filter((page) => !links.includes(page)),
    [],
  );
});

test("README's picture is small, stands alone, and has colours for light and dark", async () => {
  const picture = await readFile(repositoryFile("docs/flow.svg"), "utf8");
  assert.ok(picture.length < 6000, `${picture.length} characters`);
  assert.match(picture, /@media \(prefers-color-scheme: dark\)/);
  assert.match(picture, /role="img" aria-labelledby="title what"/);
  assert.doesNotMatch(picture, /<script|href=|url\((?!#)|@import|\bon\w+=/);
});

test("whoever is told that umoci reads a layout is told of which media types", async () => {
  const pages = ["README.md", "docs/sources-and-outputs.md", "src/cli/manual/command-texts.ts", "src/store/store.ts"];
  const said: string[] = [];
  for (const page of pages) {
    for (const paragraph of (await readFile(repositoryFile(page), "utf8")).split(/\n\s*\n/)) {
      if (!/umoci read\b/.test(paragraph)) continue;
      said.push(page);
      assert.match(paragraph, /OCI\s+media\s+types/, page);
    }
  }
  assert.deepEqual(said, ["src/cli/manual/command-texts.ts", "src/store/store.ts"]);
});

test("every file that ARCHITECTURE.md speaks of is there", async () => {
  const page = await readFile(repositoryFile("ARCHITECTURE.md"), "utf8");
  const named = [...page.matchAll(/`((?:src|test|demo|bench|docs)\/[\w./-]*)`/g)].map(([, path = ""]) => path);
  const missing = named.filter((path) => !existsSync(repositoryFile(path)));
  assert.ok(named.length > 5);
  assert.deepEqual(missing, []);
});

test("ARCHITECTURE.md speaks of every folder of the source", async () => {
  const page = await readFile(repositoryFile("ARCHITECTURE.md"), "utf8");
  const folders = (await readdir(repositoryFile("src"), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  const unspoken = folders.filter(({ name }) => !page.includes(`| \`src/${name}/\` |`)).map(({ name }) => name);
  assert.deepEqual(unspoken, []);
});

/** The words of `export type Name = | "A" | "B";`, comments left out. */
function membersOf(name: string, source: string): string[] {
  const declaration = new RegExp(`export type ${name} =([^;]*);`).exec(source.replace(/\/\/.*$/gm, ""))?.[1] ?? "";
  return [...declaration.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word);
}

/** The first cells, set in code, of the tables between a heading and the next of its level. */
function rowsBelow(heading: string, page: string): string[] {
  const section = page.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, word = ""]) => word);
}

function localLinks(page: string): string[] {
  return [...page.matchAll(/(?:\]\(|src=")([^)#\s"]+)(?:#[^)]*)?[)"]/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}
