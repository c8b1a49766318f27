import { defences } from "./defences.ts";
import { page } from "./page.ts";
import { Removal } from "./removal.ts";

// npm run defences [-- WORD… | --page]
//
// Takes each defence away, one at a time, and insists that its test passes with it and fails without it; with words, only
// those whose lines have all of them. Some need newer Nodes than this one, in OCI_UNPACK_NODES. With --page it prints the
// tables of docs/safety.md instead.

const words = process.argv.slice(2);
if (words.includes("--page")) {
  await new Promise((resolve) => process.stdout.write(page(defences), resolve)); // a pipe takes its time
  process.exit();
}
const chosen = defences.filter(({ group, what, file, test }) => {
  const line = [group, what, file, ...test].join(" ");
  return words.every((word) => line.includes(word));
});

using removal = new Removal(chosen);
let unnoticed = 0;
for (const defence of chosen) {
  const problem = await problemOf(defence);
  if (problem !== undefined) unnoticed += 1;
  console.log(`${problem === undefined ? "noticed  " : "UNNOTICED"} ${defence.group}: ${defence.what}`);
  if (problem !== undefined) console.log(`          ${defence.file}, ${defence.test.join(": ")}: ${problem}`);
}
console.log(`\n${chosen.length - unnoticed} of ${chosen.length} are noticed when they are gone`);
process.exitCode = unnoticed === 0 ? 0 : 1;

async function problemOf(defence: (typeof defences)[number]): Promise<string | undefined> {
  const before = await removal.outcomeWith(defence);
  if (before.failed > 0) return "the test fails with the defence, too";
  if (before.passed === 0) return `no such test ran (${before.other.join(", ")})`;
  const after = await removal.outcomeWithout(defence);
  if (after.failed > 0) return undefined;
  return after.other.length > 0 ? `something else failed: ${after.other.join(", ")}` : "the test still passes";
}
