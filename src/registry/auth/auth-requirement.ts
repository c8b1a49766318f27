import type { HttpResponse } from "../../http/http.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";

/** A token that a registry wants to see, and who gives it out. */
export interface BearerRequirement {
  readonly scheme: "bearer";
  readonly realm: URL;
  readonly service: string | undefined;
  /** As the challenge has them; some are opaque words. */
  readonly scopes: readonly string[];
  /** The token that was sent is good, but not for this. */
  readonly isInsufficient: boolean;
}

/** A user and a password that a registry wants to see. */
export interface BasicRequirement {
  readonly scheme: "basic";
  /** For people: it names no place. */
  readonly realm: string;
}

export type AuthRequirement = BearerRequirement | BasicRequirement;

/** What a 401 asks for. */
export interface AuthRequirements {
  /** Those that can be met, tokens before passwords. */
  readonly usable: readonly AuthRequirement[];
  /** All schemes, for an error that says what was on offer. */
  readonly offered: readonly string[];
}

/** More schemes, and longer names of them, than an error needs to repeat. */
const mostOffered = 8;
const longestScheme = 40;

/** Reads the challenges of a 401. */
export function requirementsIn(response: HttpResponse): AuthRequirements {
  const challenges = parseChallenges(response.headers["www-authenticate"]);
  const requirements = challenges.map((challenge) => requirementOf(challenge, response.url));
  const usable = requirements.filter((requirement) => requirement !== undefined);
  const ranked = usable.sort((one, other) => rank(one) - rank(other));
  return {
    usable: ranked,
    offered: challenges.slice(0, mostOffered).map(({ scheme }) => scheme.slice(0, longestScheme)),
  };
}

/**
 * The scopes to ask for: the challenge's own first, because some servers read only one, and always the right to pull.
 */
export function scopesFor({ scopes }: BearerRequirement, repository: string): readonly string[] {
  const isCovered = scopes.some((scope) => {
    const [type, name, actions = ""] = scope.split(":");
    return type === "repository" && name === repository && actions.split(",").includes("pull");
  });
  const wanted = isCovered ? scopes : [...scopes, `repository:${repository}:pull`];
  return [...new Set(wanted)];
}

function requirementOf({ scheme, parameters }: Challenge, requestUrl: URL): AuthRequirement | undefined {
  const realm = parameters.get("realm") ?? "";
  if (scheme === "basic") return { scheme, realm };
  if (scheme !== "bearer") return undefined;
  const url = realmUrl(realm, requestUrl);
  if (url === undefined) return undefined;
  const scopes = (parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const isInsufficient = parameters.get("error") === "insufficient_scope";
  return { scheme, realm: url, service: parameters.get("service"), scopes, isInsufficient };
}

/** Refuses what readers might understand differently: user names, backslashes, control characters. */
function realmUrl(realm: string, requestUrl: URL): URL | undefined {
  if (realm === "" || /[\x00-\x20\\\x7f]/.test(realm) || !URL.canParse(realm, requestUrl.href)) return undefined;
  const url = new URL(realm, requestUrl);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  if (url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  return url;
}

function rank({ scheme }: AuthRequirement): number {
  return scheme === "bearer" ? 0 : 1;
}
