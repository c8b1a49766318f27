import type { CallContext } from "../../base/call-context.ts";
import type { HttpResponse } from "../../http/http.ts";
import type { TlsMaterial } from "../../http/options.ts";
import type { Policy, Reach } from "../../http/policy.ts";
import type { Secrets } from "../../http/secrets.ts";
import type { Credential } from "../options.ts";
import type { Repository } from "../repository.ts";
import { requirementsIn } from "./auth-requirement.ts";
import { fetchToken, type TokenRequest } from "./token.ts";

/** How a token server is reached. */
export interface TokenRoute {
  readonly realm: URL;
  readonly reach: Reach;
  /** Default: what strangers get to see. */
  readonly tls?: TlsMaterial | undefined;
}

/** What the parts that deal with authorization need of the client that they are part of. */
export interface AuthClient {
  readonly policy: Policy;
  readonly secrets: Secrets;
  readonly credential: (repository: Repository, context: CallContext) => Promise<Credential | undefined>;
  /** Sends requests to a token server, each again while it fails for passing reasons. */
  readonly tokenRequest: (route: TokenRoute, context: CallContext) => TokenRequest;
  /** Asks a registry's root: for the challenge that a 401 lacked, or whether it takes an authorization. */
  readonly ping: (repository: Repository, context: CallContext, authorization?: string) => Promise<HttpResponse>;
  /** Throws `POLICY_DENIED` where a token server may not be asked over http. */
  readonly admitScheme: (realm: URL, registry: URL) => void;
}

/** A token that anybody gets, for a host to which a registry redirected: no credential of ours is for its eyes. */
export async function anonymousToken(
  response: HttpResponse,
  registryAddress: string | undefined,
  { admitScheme, policy, secrets, tokenRequest }: AuthClient,
  context: CallContext,
): Promise<string | undefined> {
  const requirement = requirementsIn(response).usable.find((one) => one.scheme === "bearer");
  if (requirement === undefined) return undefined;
  const { realm, service, scopes } = requirement;
  admitScheme(realm, response.url);
  context.tell({ type: "authenticate", realm: secrets.printable(realm), scheme: "bearer" });
  const request = tokenRequest({ realm, reach: policy.referred(registryAddress) }, context);
  return (await fetchToken({ realm, service, scopes, credential: undefined }, request, secrets)).authorization;
}
