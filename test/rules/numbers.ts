/**
 * How many rules each section has: whiteouts, replacing and types and parents, hard links, metadata, streams and images,
 * and the dialects of tar, whose rules are the rows of that table.
 */
const sections = { W: 29, T: 29, H: 16, M: 23, S: 25, D: 20 } as const;

/** The numbers of all rules, in order. */
export const allRules: readonly string[] = Object.entries(sections).flatMap(([section, count]) =>
  Array.from({ length: count }, (_, index) => `${section}${index + 1}`),
);

/** Why a rule has no case in the table. */
export const reasons: Readonly<Record<string, string>> = {
  T24: "needs a file system that knows no case: test/hostile/case-insensitive.test.ts",
  H15: "needs a file system on which a file has room for few names: test/rules/link-count.test.ts",
  M20: "is about a moment, not a result: test/rules/moment.test.ts",
  S24: "is a rule for the registry client: test/source",
};
