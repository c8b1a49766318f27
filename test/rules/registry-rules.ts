import { sourceFiles } from "../support/source-files.ts";
import { type RegistryRuleSection, registryRuleSections } from "./registry-rule-table.ts";
import { trustRules } from "./trust-rule-table.ts";

/** All sections, as the page has them. */
export const ruleSections: readonly RegistryRuleSection[] = [...registryRuleSections, trustRules];

const table = ruleSections.flatMap(({ rules }) => rules);

/** `R-1` to `R-75`, `security 1` to `security 20`, then `V1` to `V26`, as titles of tests name them. */
export const registryRules: readonly string[] = table.map(({ rule }) => rule);

/** What of a rule is not done, and why. */
export const registryDepartures: Readonly<Record<string, string>> = Object.fromEntries(
  table.flatMap(({ rule, departure }) => (departure === undefined ? [] : [[rule, departure]])),
);

/** A test's title that names rules. */
export interface Claim {
  readonly rules: readonly string[];
  readonly title: string;
  /** `test/source/tls.test.ts` */
  readonly file: string;
}

/** Every title that names a rule for registry clients. */
export function registryClaims(): readonly Claim[] {
  return sourceFiles("test")
    .filter(({ path }) => path.endsWith(".test.ts"))
    .flatMap(({ path: file, text }) =>
      [...text.matchAll(claim)].map(([, , title = ""]) => ({ rules: rulesIn(title), title, file })),
    );
}

/** The rules that a title names. */
export function rulesIn(title: string): readonly string[] {
  return title.match(/\b(?:R-|security |V)\d+(?=[,:])/g) ?? [];
}

/** A string that begins as titles do. */
const claim = /(["`])((?:R-\d+|security \d+|[A-Z]\d+)[,:] .*?)\1/g;
