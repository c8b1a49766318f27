import type { CallContext } from "../../base/call-context.ts";
import type { HttpResponse } from "../../http/http.ts";
import type { TlsMaterial } from "../../http/options.ts";
import type { Policy, Reach } from "../../http/policy.ts";
import type { Secrets } from "../../http/secrets.ts";
import type { Credential } from "../options.ts";
import type { Repository } from "../repository.ts";
import { requirementsIn } from "./auth-requirement.ts";
import { fetchToken, type TokenRequest } from "./token.ts";

/** A token server and how it is reached. */
export interface TokenRoute {
  readonly realm: URL;
  readonly reach: Reach;
  /** Default: the TLS material for hosts that a registry named. */
  readonly tls?: TlsMaterial | undefined;
}

/** What authorization needs from the client of the registry. */
export interface AuthClient {
  readonly policy: Policy;
  readonly secrets: Secrets;
  readonly credential: (repository: Repository, context: CallContext) => Promise<Credential | undefined>;
  /** Sends requests to a token server, and repeats them while they fail for reasons that may pass. */
  readonly tokenRequest: (route: TokenRoute, context: CallContext) => TokenRequest;
  /** Sends a request to a registry's root: for the challenge that a 401 lacked, or to check an authorization. */
  readonly ping: (repository: Repository, context: CallContext, authorization?: string) => Promise<HttpResponse>;
  /** Throws `POLICY_DENIED` if a token server must not be asked over http. */
  readonly admitScheme: (realm: URL, registry: URL) => void;
}

/** A token that needs no credentials, for a host that a registry redirected to: it must not see ours. */
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
