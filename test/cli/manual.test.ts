import assert from "node:assert/strict";
import { test } from "node:test";
import { commandNames, commandTable } from "../../src/cli/command-table.ts";
import { generalOptions } from "../../src/cli/manual/general-options.ts";
import { helpText } from "../../src/cli/manual/help-text.ts";

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

/** The options that stand at the beginning of a line. */
function optionsIn(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:-\w, | {4})--([a-z][a-z-]+)/gm)].map(([, name = ""]) => name);
}
