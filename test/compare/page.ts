import type { Verdict } from "./judgement.ts";

/** One row of the page. */
export interface Row {
  readonly rule: string;
  readonly claim: string;
  readonly verdicts: readonly Verdict[];
}

const words: Readonly<Record<Verdict, string>> = {
  obeys: "✔",
  differs: "differs",
  refuses: "refuses",
  accepts: "accepts",
  "not asked": "–",
};

const introduction = `# Conformance

What each rule of this project's layer rules comes to in the tools that a Debian system packages. This page is
generated: \`npm run compare\` builds the layers of every rule, has each tool unpack them, and compares the trees entry by
entry (type, mode, owner, size, content, link target, hard links, extended attributes, time to the nanosecond).

A rule is this project's reading of the image specification: W of whiteouts, T of what replaces what and of parents, H
of hard links, M of metadata, S of streams and images, D of the dialects of tar. Where the specification leaves room,
"differs" means different, not wrong.

- ✔: the tree that the rule describes, or an error where the rule wants one
- differs: another tree
- refuses: an error where the rule has a tree
- accepts: a tree where the rule wants an error
- –: not asked. Archivers know nothing of layers, so they are asked about single layers without whiteouts only.

Directories that no layer describes, and the root where no layer names it, are compared only in the rules about them.
`;

/** The whole page. */
export function page(
  tools: readonly { readonly name: string; readonly version: string }[],
  rows: readonly Row[],
): string {
  const heads = ["Rule", "Claim", ...tools.map(({ name }) => name)];
  const lines = [heads, heads.map(() => "---"), ...rows.map(cells)].map((line) => `| ${line.join(" | ")} |`);
  const versions = tools.map(({ name, version }) => `- ${name}: ${version}`);
  const counts = tools.map(({ name }, column) => `- ${name}: ${countOf(rows, column)}`);
  return [introduction, "## Tools\n", ...versions, "\n## Cases obeyed\n", ...counts, "\n## Rules\n", ...lines, ""].join(
    "\n",
  );
}

function cells({ rule, claim, verdicts }: Row): string[] {
  return [rule, claim.replaceAll("|", "\\|"), ...verdicts.map((verdict) => words[verdict])];
}

function countOf(rows: readonly Row[], column: number): string {
  const asked = rows.map(({ verdicts }) => verdicts[column]).filter((verdict) => verdict !== "not asked");
  return `${asked.filter((verdict) => verdict === "obeys").length} of ${asked.length}`;
}
