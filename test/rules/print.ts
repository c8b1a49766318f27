import { imageRules } from "./cases-images.ts";
import { localRules } from "./cases-local.ts";
import { userRules } from "./cases-users.ts";
import { layerRules } from "./layer-rules.ts";
import { allRules, reasons } from "./numbers.ts";
import { registryPage } from "./registry-page.ts";
import { registryDepartures, registryRules } from "./registry-rules.ts";
import type { LayerRule } from "./rule.ts";
import { testedRegistryRules } from "./tested-registry-rules.ts";
import { assertImage, assertLenient, assertStrict, assertUser } from "./verdict.ts";

// npm run rules [-- RULE… | --page]
//
// Prints every rule and whether it holds: leniently, and, where something had to be repaired, strictly too. What is said
// of registry clients (R-1 … R-75, "security 1" … for attacks on them, V1 … V26 for signatures) is proven by the tests
// that name it. With --page it prints docs/registry-rules.md instead.

interface Line {
  readonly rule: string;
  readonly claim: string;
  readonly elsewhere?: string | undefined;
  readonly checks: readonly (() => void | Promise<void>)[];
}

const wanted = process.argv.slice(2);
if (wanted.includes("--page")) {
  await new Promise((resolve) => process.stdout.write(registryPage(), resolve)); // a pipe takes its time
  process.exit();
}
const lines: readonly Line[] = [
  ...layerRules.map((rule: LayerRule) => ({ ...rule, checks: [() => assertLenient(rule), () => assertStrict(rule)] })),
  ...[...imageRules, ...localRules].map((rule) => ({
    ...rule,
    checks: [() => assertImage(rule, false), ...(rule.warnings ? [() => assertImage(rule, true)] : [])],
  })),
  ...userRules.map((rule) => ({ ...rule, checks: [() => assertUser(rule)] })),
];

let failures = 0;
let passes = 0;
for (const number of allRules) {
  if (wanted.length > 0 && !wanted.includes(number)) continue;
  for (const line of lines.filter(({ rule }) => rule === number)) await print(line);
  if (reasons[number] !== undefined) console.log(`  –   ${number.padEnd(4)} ${reasons[number]}`);
}
const wantedOfClients = registryRules.filter((rule) => wanted.length === 0 || wanted.includes(rule));
for await (const { rules, title, problem } of testedRegistryRules(wantedOfClients)) {
  await print({ rule: rules.join(", "), claim: title, checks: [() => Promise.reject(problem)].slice(problem ? 0 : 1) });
}
for (const rule of wantedOfClients) {
  if (registryDepartures[rule] !== undefined) console.log(`  –   ${rule.padEnd(4)} ${registryDepartures[rule]}`);
}
console.log(`\n${passes} cases pass, ${failures} fail; ${Object.keys(reasons).length} rules have none`);
process.exitCode = failures === 0 ? 0 : 1;

async function print({ rule, claim, elsewhere, checks }: Line): Promise<void> {
  const problem = await problemOf(checks);
  if (problem === undefined) passes++;
  else failures++;
  console.log(`${problem === undefined ? "pass " : "FAIL "} ${rule.padEnd(4)} ${claim}`);
  if (elsewhere !== undefined) console.log(`            not here: ${elsewhere}`);
  if (problem !== undefined) console.log(problem.replace(/^/gm, "            "));
}

async function problemOf(checks: Line["checks"]): Promise<string | undefined> {
  try {
    for (const check of checks) await check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
