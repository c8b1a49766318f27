import type { HttpResponse } from "../../http/http.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";

/** A registry requires a token, which `realm` issues. */
export interface BearerRequirement {
  readonly scheme: "bearer";
  readonly realm: URL;
  readonly service: string | undefined;
  /** The scopes of the challenge. Some are not of the form `type:name:actions`. */
  readonly scopes: readonly string[];
  /** Whether the token that was sent is valid, but not for this request. */
  readonly isInsufficient: boolean;
}

/** A registry requires a user and a password. */
export interface BasicRequirement {
  readonly scheme: "basic";
  /** A text for people, not a URL. */
  readonly realm: string;
}

export type AuthRequirement = BearerRequirement | BasicRequirement;

/** What a 401 response asks for. */
export interface AuthRequirements {
  /** The requirements that can be met, tokens before passwords. */
  readonly usable: readonly AuthRequirement[];
  /** All schemes, for error messages. */
  readonly offered: readonly string[];
}

/** How many schemes, and how much of their names, an error message repeats. */
const mostOffered = 8;
const longestScheme = 40;

/** The requirements in a 401 response. */
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
 * The scopes to ask for: those of the challenge first, because some servers read only one, and the right to pull.
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

/**
 * The URL of a realm; `undefined` if programs could read it differently: user names, backslashes, control characters.
 */
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
