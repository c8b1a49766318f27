import { sourceFiles } from "../support/source-files.ts";

/** The numbers of the rules for registry clients, section by section; those between are free. */
const sections = [
  [1, 7],
  [10, 26],
  [30, 42],
  [50, 64],
  [70, 75],
] as const;

/** As many kinds of attack on clients are known; each has a defence. */
const securityRows = 20;

/** `R-1` to `R-75`, then `security 1` to `security 20`, as titles of tests name them. */
export const registryRules: readonly string[] = [
  ...sections.flatMap(([first, last]) => numbered("R-", first, last)),
  ...numbered("security ", 1, securityRows),
];

/** Why no test names a rule. */
export const registryReasons: Readonly<Record<string, string>> = {};

/** What of a rule is not done, and why. */
export const registryDepartures: Readonly<Record<string, string>> = {
  "R-4": "that a tag still means the digest beside it is not verified: it may, and nobody who names a digest asked",
  "R-5": "blake3 is refused like any algorithm that node:crypto lacks",
  "R-24": "no variable of its own holds a login: -u and --password-stdin do, and $REGISTRY_AUTH_FILE",
  "R-54": "HTTP/2 is not spoken, so nothing of it can break",
};

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
  return title.match(/\b(?:R-|security )\d+(?=[,:])/g) ?? [];
}

/** A string that begins as titles do. */
const claim = /(["`])((?:R-\d+|security \d+|[A-Z]\d+)[,:] .*?)\1/g;

function numbered(prefix: string, first: number, last: number): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}`);
}
