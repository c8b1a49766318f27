import { invalidOption } from "../../base/option-checks.ts";
import { OtherIdentity } from "../candidate.ts";
import type { SignerIdentity } from "../options.ts";

/** What decides about a name, and how it is said. */
export interface NameMatch {
  readonly words: string;
  matches(name: string): boolean;
}

/** What an identity has to be, as a whole. */
export interface IdentityMatch {
  readonly words: string;
  readonly identity: NameMatch;
  readonly issuer: NameMatch;
}

/** Longer ones are refused, so that no expression is tried for long: names have 1000 characters at most. */
const longestExpression = 500;

/** Reads what is demanded. Throws `INVALID_OPTION`: one of each pair has to be given. */
export function identityMatch(demanded: SignerIdentity): IdentityMatch {
  const { identity, identityRegexp, issuer, issuerRegexp } = demanded;
  const who = nameMatch("identity", identity, identityRegexp);
  const voucher = nameMatch("issuer", issuer, issuerRegexp);
  return { words: `${who.words}, for whom ${voucher.words} vouches,`, identity: who, issuer: voucher };
}

function nameMatch(option: string, exact: string | undefined, expression: string | undefined): NameMatch {
  const refuse = (found: string) =>
    invalidOption("trust.identities", found, `name one ${option} exactly, or its regexp`);
  if (exact !== undefined && expression !== undefined) throw refuse(`it has both ${option} and ${option}Regexp`);
  if (exact !== undefined) {
    if (exact === "") throw refuse(`its ${option} is empty`);
    return { words: `"${exact}"`, matches: (name) => name === exact };
  }
  if (expression === undefined) throw refuse(`it has no ${option}`);
  if (expression.length > longestExpression) throw refuse(`its ${option}Regexp has ${expression.length} characters`);
  const anchored = anchoredExpression(expression);
  if (anchored === undefined) throw refuse(`its ${option}Regexp "${expression}" is not a regular expression`);
  return { words: `/${expression}/`, matches: (name) => anchored.test(name) };
}

/** An expression that has to match all of a name; `undefined` for what is none by itself, such as `a)|(b`. */
function anchoredExpression(expression: string): RegExp | undefined {
  try {
    // Linear: if whoever demands it wrote it so. It is tried on names of 1000 characters at most.
    new RegExp(expression, "u");
    return new RegExp(`^(?:${expression})$`, "u");
  } catch {
    return undefined;
  }
}

/** Who made a signature: one whom its certificate names, and who vouched for that. */
export interface CertifiedSigner {
  readonly identity: string;
  readonly issuer: string;
}

/** Which of the signer's names is one of those that are demanded. Throws `OtherIdentity`, which tells who it was. */
export function signerOf(
  { names, issuer }: { readonly names: readonly string[]; readonly issuer: string | undefined },
  demanded: readonly IdentityMatch[],
): CertifiedSigner {
  if (issuer === undefined) throw new OtherIdentity("its certificate does not say who vouched for the signer");
  const identity = names.find((name) =>
    demanded.some((each) => each.identity.matches(name) && each.issuer.matches(issuer)),
  );
  if (identity !== undefined) return { identity, issuer };
  const who = names.length === 0 ? "nobody" : names.map((name) => `"${name}"`).join(" and ");
  throw new OtherIdentity(`it was signed by ${who}, for whom "${issuer}" vouches`);
}
