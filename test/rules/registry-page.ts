import { registryClaims, ruleSections } from "./registry-rules.ts";

const introduction = `# Rules for clients of registries

What a client that pulls from registries has to do, where that is written or was learned, and which tests of this
project prove it. Comments and titles of tests cite a rule by its number. This page is generated from \`test/rules/\`, and
a test insists that it is true: \`npm run rules -- --page\` prints it, \`npm run rules -- R-24\` runs the tests of a rule
and prints what each claims.

The rules for layers, W, T, H, M, S and D, are in [conformance.md](conformance.md); what is defended against hostile
registries and images in [safety.md](safety.md).
`;

/** docs/registry-rules.md: each rule, its source, and the files whose tests name it, with how many do. */
export function registryPage(): string {
  const tests = testsByRule();
  const tables = ruleSections.map(({ heading, rules }) => {
    const rows = rules.map(({ rule, says, sources, departure }) => {
      const departs = departure === undefined ? "" : ` *Not done:* ${departure}.`;
      return `| ${rule} | ${says}${departs} | ${sources} | ${tests.get(rule) ?? ""} |`;
    });
    return [`## ${heading}\n`, "| rule | what is done | source | tests |", "|---|---|---|---|", ...rows, ""].join("\n");
  });
  return [introduction, ...tables].join("\n");
}

/** For each rule the files whose tests name it, as `source/tls` (2). */
function testsByRule(): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { rules, file } of registryClaims()) {
    const place = file.replace(/^test\//, "").replace(/\.test\.ts$/, "");
    for (const rule of rules) {
      const ofRule = counts.get(rule) ?? new Map<string, number>();
      counts.set(rule, ofRule.set(place, (ofRule.get(place) ?? 0) + 1));
    }
  }
  const listed = (ofRule: ReadonlyMap<string, number>) =>
    [...ofRule].sort().map(([place, count]) => `\`${place}\`${count > 1 ? ` (${count})` : ""}`);
  return new Map([...counts].map(([rule, ofRule]) => [rule, listed(ofRule).join(", ")]));
}
