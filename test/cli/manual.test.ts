import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type CommandName, commandNames, commandTable } from "../../src/cli/command-table.ts";
import { generalOptions } from "../../src/cli/manual/general-options.ts";
import { helpText, manualName } from "../../src/cli/manual/help-text.ts";
import { manualPages } from "../../src/cli/manual/manual-pages.ts";
import { outcomeOf, output } from "../support/command.ts";
import { scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";

const pages = manualPages({ version: "1.2.3", date: new Date(0) });

for (const command of commandNames) {
  const options = Object.keys(commandTable[command].options).sort();

  test(`oci-unpack ${command} --help all tells of every option, and of none that does not exist`, () => {
    const told = optionsIn(helpText(command, { isWhole: true }));
    assert.deepEqual(told.sort(), options);
  });

  test(`oci-unpack ${command} --help is shorter than two screens, and tells of none that does not exist`, () => {
    const text = helpText(command, { isWhole: false });
    assert.ok(text.split("\n").length <= 48, `${text.split("\n").length} lines`);
    assert.ok(optionsIn(text).every((name) => options.includes(name)));
  });

  test(`the page of the manual for ${command} tells of every option, and of none that does not exist`, () => {
    const terms = [...pageOf(command).matchAll(/^\.TP\n(?:\\fB\\-\w\\fR, )?\\fB\\-\\-([a-z\\-]+)\\fR/gm)];
    assert.deepEqual(terms.map(([, name = ""]) => name.replaceAll("\\", "")).sort(), options);
  });

  test(`both help texts of ${command} fit a terminal of 80 columns, and say how each value is called`, () => {
    for (const isWhole of [false, true]) {
      const text = helpText(command, { isWhole });
      assert.doesNotMatch(text, /(?<!=)\bVALUE\b/);
      for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
    }
  });
}

test("every option that is told of belongs to a command", () => {
  const known = new Set(commandNames.flatMap((command) => Object.keys(commandTable[command].options)));
  const told = generalOptions.flatMap(({ options }) => Object.keys(options));
  assert.deepEqual(
    told.filter((name) => !known.has(name)),
    [],
  );
});

test("the manual has no fault that mandoc knows", { skip: skipWithout("mandoc") }, async () => {
  await using place = await scratch();
  for (const [name, page] of pages) await writeFile(join(place.directory, name), page);
  const { stdout, stderr } = await outcomeOf("mandoc", ["-T", "lint", ...pages.keys()], { directory: place.directory });
  assert.deepEqual([stdout, stderr], ["", ""]);
});

test("a reader of the manual sees a command's options, and examples as they are typed", {
  skip: skipWithout("mandoc"),
}, async () => {
  await using place = await scratch();
  await writeFile(join(place.directory, "ls.1"), pageOf("ls"));
  const shown = await output("mandoc", ["-T", "ascii", "ls.1"], { directory: place.directory });
  const text = shown.replace(/.\x08/g, "");
  assert.match(text, /^ +-R, --recursive\n +list all that is below it$/m);
  assert.match(text, /^ +oci-unpack ls -R --json alpine \| jq -r '\.entries\[\]\.path'$/m);
});

function pageOf(command: CommandName): string {
  return pages.get(`${manualName(command)}.1`) ?? assert.fail(`no page for ${command}`);
}

/** The options that stand at the beginning of a line. */
function optionsIn(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:-\w, | {4})--([a-z][a-z-]+)/gm)].map(([, name = ""]) => name);
}
