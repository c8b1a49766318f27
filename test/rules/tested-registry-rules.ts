import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../support/repository.ts";
import { registryClaims, rulesIn } from "./registry-rules.ts";

/** How one test of a rule went. */
export interface Verdict {
  readonly rules: readonly string[];
  /** Without the rules' names. */
  readonly title: string;
  readonly problem?: Error;
}

/** Runs the tests whose titles name one of these rules. */
export async function* testedRegistryRules(wanted: readonly string[]): AsyncGenerator<Verdict> {
  const claims = registryClaims().filter(({ rules }) => rules.some((rule) => wanted.includes(rule)));
  if (claims.length === 0) return;
  const files = [...new Set(claims.map(({ file }) => compiled(file)))];
  const testNamePatterns = wanted.map((rule) => new RegExp(`\\b${rule}(?=[,:])`));
  for await (const { type, data } of run({ files, testNamePatterns })) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, skip } = data;
    const rules = rulesIn(name);
    // A suite is told of too whose tests were all left out.
    if (skip !== undefined || !rules.some((rule) => wanted.includes(rule))) continue;
    const title = name.replace(/^(?:[\w -]+, )*[\w -]+: /, "");
    yield { rules, title, ...(type === "test:fail" && { problem: data.details.error }) };
  }
}

/** Tests run as `tsc` made them. */
function compiled(file: string): string {
  return fileURLToPath(repositoryFile(`build/${file.replace(/\.ts$/, ".js")}`));
}
