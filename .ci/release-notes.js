import { readFileSync } from "node:fs";

/*
 * Prints what CHANGELOG.md says of the version that a tag names, and refuses to where the tag, package.json and the page do
 * not agree: so that nothing is published under a wrong name, or without a word.
 */
const [tag = ""] = process.argv.slice(2);
const root = new URL("../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const sections = readFileSync(new URL("CHANGELOG.md", root), "utf8").split(/^(?=## )/m);
const section = sections.find((text) => text.startsWith(`## ${version},`)) ?? "";
const [heading = "", ...notes] = section.split("\n");

if (tag !== `v${version}`) refuse(`the tag is "${tag}", the version in package.json "${version}"`);
if (section === "") refuse(`CHANGELOG.md has no heading "## ${version}, YYYY-MM-DD"`);
if (!/, \d{4}-\d\d-\d\d$/.test(heading)) refuse(`CHANGELOG.md has no date in "${heading}"`);
console.log(notes.join("\n").trim());

function refuse(reason) {
  console.error(`cannot release: ${reason}`);
  process.exit(1);
}
