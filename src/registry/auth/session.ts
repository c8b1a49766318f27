import { SingleFlight } from "../../base/abort.ts";
import type { CallContext } from "../../base/call-context.ts";
import type { HttpResponse } from "../../http/http.ts";
import { RequestFailure } from "../../http/request-failure.ts";
import type { Credential } from "../options.ts";
import type { Repository } from "../repository.ts";
import type { AuthClient } from "./auth-client.ts";
import {
  type AuthRequirement,
  type AuthRequirements,
  type BasicRequirement,
  type BearerRequirement,
  requirementsIn,
  scopesFor,
} from "./auth-requirement.ts";
import { basicAuthorization, fetchToken, type Grant, secretsOf } from "./token.ts";

/** How much of a registry's text events repeat. */
const longestTold = 200;

/** An authorization that a registry refused. */
interface Refused {
  readonly authorization: string | undefined;
  /** Whether it was obtained for this very request, so that obtaining it again would not help. */
  readonly isFresh: boolean;
}

/** The authorization for one repository. All requests share it, and it is renewed before it expires. */
export class Session {
  readonly #repository: Repository;
  readonly #client: AuthClient;
  readonly #finding = new SingleFlight<Grant>();
  /** What the last 401 response asked for. */
  #requirements: AuthRequirements = { usable: [], offered: [] };
  /** The address of the registry. Its token server may not be nearer to this process. */
  #registryAddress: string | undefined;
  #stored: Promise<Credential | undefined> | undefined;
  /** Whether the stored credential is not used any more. */
  #isAnonymous = false;
  /** Why it is not used: the error to throw if going on without it fails too. */
  #refusal: RequestFailure | undefined;
  #hasWidened = false;
  #grant: Grant | undefined;

  constructor(repository: Repository, client: AuthClient) {
    this.#repository = repository;
    this.#client = client;
  }

  /** The authorization to send; `undefined` as long as the registry has not asked for one. */
  async current(context: CallContext): Promise<string | undefined> {
    if (isGood(this.#grant)) return this.#grant.authorization;
    return this.#requirements.usable.length === 0 ? undefined : this.#renewed(context);
  }

  /** The authorization to send after a 401. Throws if there is nothing left to try. */
  async afterRefusal(response: HttpResponse, refused: Refused, context: CallContext): Promise<string | undefined> {
    const requirements = await this.#requirementsOf(response, context);
    // Another request may have obtained a new one meanwhile.
    if (isGood(this.#grant) && this.#grant.authorization !== refused.authorization) return this.#grant.authorization;

    this.#grant = undefined;
    this.#requirements = requirements;
    this.#registryAddress = response.address;
    context.decided(
      "challenge",
      `${this.#repository.base.host} asks for ${offer(requirements)}${this.#terms(requirements)}`,
    );
    if (refused.isFresh) await this.#step(context);
    else if (requirements.usable.length === 0 && refused.authorization !== undefined) return undefined; // perhaps without
    return this.#renewed(context);
  }

  /** The details of the first requirement, for `--explain`. */
  #terms({ usable: [requirement] }: AuthRequirements): string {
    if (requirement === undefined) return "";
    const { secrets } = this.#client;
    if (requirement.scheme === "basic") return `, realm "${secrets.excerpt(requirement.realm, longestTold)}"`;
    const { realm, service = "none", scopes } = requirement;
    const scope = scopes.length === 0 ? "none" : secrets.excerpt(scopes.join(" "), longestTold);
    const realmUrl = secrets.printable(realm);
    return `, realm ${realmUrl}, service ${secrets.excerpt(service, longestTold)}, scope ${scope}`;
  }

  /** gcr.io and ghcr.io sometimes answer 401 without a challenge. Then their root is asked, which has one. */
  async #requirementsOf(response: HttpResponse, context: CallContext): Promise<AuthRequirements> {
    const requirements = requirementsIn(response);
    if (requirements.offered.length > 0) return requirements;
    const pong = await this.#client.ping(this.#repository, context);
    await pong.body.dismissed();
    return pong.status === 401 ? requirementsIn(pong) : requirements;
  }

  /** A fresh authorization was refused: decides what can be tried next. Throws if there is nothing. */
  async #step(context: CallContext): Promise<void> {
    const [requirement] = this.#requirements.usable;
    if (requirement?.scheme === "bearer" && requirement.isInsufficient && !this.#hasWidened) {
      this.#hasWidened = true;
      return;
    }
    const credential = await this.#credential(context);
    if (credential === undefined) throw this.#refusal ?? this.#unauthorized();
    this.#setAside(credential, context);
  }

  async #renewed(context: CallContext): Promise<string> {
    const grant = await this.#finding.join(context.signal, async (signal) => {
      this.#grant = await this.#authenticated(context.under(signal));
      return this.#grant;
    });
    return grant.authorization;
  }

  /**
   * Authenticates with the stored credential, if there is one. If it is refused, it may have expired: goes on without
   * it.
   */
  async #authenticated(context: CallContext): Promise<Grant> {
    const credential = await this.#credential(context);
    try {
      return await this.#granted(credential, context);
    } catch (problem) {
      if (credential === undefined || this.#isAnonymous) throw isAnswer(problem) ? (this.#refusal ?? problem) : problem;
      if (!(problem instanceof RequestFailure && problem.code === "CREDENTIALS_REJECTED")) throw problem;
      this.#setAside(credential, context);
      return this.#authenticated(context);
    }
  }

  async #granted(credential: Credential | undefined, context: CallContext): Promise<Grant> {
    let denial: unknown;
    for (const requirement of this.#requirements.usable) {
      try {
        const grant = await this.#grantFor(requirement, credential, context);
        if (grant !== undefined) return grant;
      } catch (problem) {
        if (!(problem instanceof RequestFailure && problem.code === "POLICY_DENIED")) throw problem;
        denial ??= problem;
      }
    }
    throw denial ?? this.#unauthorized();
  }

  #grantFor(
    requirement: AuthRequirement,
    credential: Credential | undefined,
    context: CallContext,
  ): Promise<Grant | undefined> | Grant | undefined {
    if (credential !== undefined && "registryToken" in credential) return this.#ownToken(credential.registryToken);
    return requirement.scheme === "bearer"
      ? this.#token(requirement, credential, context)
      : this.#basic(requirement, credential, context);
  }

  #ownToken(token: string): Grant {
    return { authorization: `Bearer ${token}`, renewAt: Number.POSITIVE_INFINITY };
  }

  #basic({ realm }: BasicRequirement, credential: Credential | undefined, context: CallContext): Grant | undefined {
    const authorization = basicAuthorization(credential);
    if (authorization === undefined) return undefined;
    context.tell({
      type: "authenticate",
      realm: this.#client.secrets.excerpt(realm, longestTold) || this.#repository.base.origin,
      scheme: "basic",
    });
    return { authorization, renewAt: Number.POSITIVE_INFINITY };
  }

  async #token(
    requirement: BearerRequirement,
    credential: Credential | undefined,
    context: CallContext,
  ): Promise<Grant> {
    const { realm, service } = requirement;
    const { base, path, reach: ownReach, tls } = this.#repository;
    const { policy, secrets, tokenRequest, admitScheme } = this.#client;
    admitScheme(realm, base);
    const isTrusted = credential === undefined || (await policy.trusts(realm, base));
    const sent = isTrusted ? credential : this.#withhold(realm, context);
    const isOwnHost = realm.hostname === base.hostname;
    const reach = isOwnHost ? ownReach : policy.referred(this.#registryAddress);
    const route = { realm, reach, tls: isOwnHost ? tls : undefined };
    const query = { realm, service, scopes: scopesFor(requirement, path), credential: sent };
    context.tell({ type: "authenticate", realm: secrets.printable(realm), scheme: "bearer" });
    const grant = await this.#granting(fetchToken(query, tokenRequest(route, context), secrets));
    const whom = sent === undefined ? "anybody" : "the user";
    const scopes = secrets.excerpt(query.scopes.join(" "), longestTold);
    const seconds = Math.round((grant.renewAt - performance.now()) / 1000);
    context.decided("token", `${realm.host} gives one to ${whom} for ${scopes}; it is renewed in ${seconds} s`);
    return grant;
  }

  /** Adds the hint which login is missing; the token server does not know it. */
  async #granting(grant: Promise<Grant>): Promise<Grant> {
    try {
      return await grant;
    } catch (problem) {
      if (!(problem instanceof RequestFailure && problem.code === "UNAUTHORIZED")) throw problem;
      throw new RequestFailure(problem.code, problem.message, {
        ...problem.details,
        hint: loginHint(this.#repository),
      });
    }
  }

  async #credential(context: CallContext): Promise<Credential | undefined> {
    if (this.#isAnonymous) return undefined;
    this.#stored ??= this.#found(context);
    try {
      return await this.#stored;
    } catch (error) {
      this.#stored = undefined;
      throw error;
    }
  }

  async #found(context: CallContext): Promise<Credential | undefined> {
    const { credentialHost: host, path } = this.#repository;
    const credential = await this.#client.credential(this.#repository, context);
    const what = credential === undefined ? "none" : `those of ${credential.origin ?? "the caller"}`;
    context.decided("credentials", `${what} for ${host}/${path}`);
    this.#client.secrets.add(...secretsOf(credential));
    return credential;
  }

  #setAside(credential: Credential, context: CallContext): void {
    const { host } = this.#repository.base;
    const found = `${host} rejects the credentials from ${credential.origin ?? "the caller"}`;
    this.#isAnonymous = true;
    this.#refusal = new RequestFailure("CREDENTIALS_REJECTED", found, {
      hint: newLoginHint(this.#repository),
      host,
      status: 401,
    });
    context.tell({ type: "warning", code: "CREDENTIALS_IGNORED", message: `${found}; going on without` });
  }

  #withhold(realm: URL, context: CallContext): undefined {
    const { host } = this.#repository.base;
    const found = `${host} wants its credentials sent to ${realm.host}, which is not known to belong to it`;
    this.#isAnonymous = true;
    this.#refusal = new RequestFailure("POLICY_DENIED", found, {
      hint: `allow "${realm.host}" with \`network.allowHosts\`, if it is to be trusted`,
      host,
    });
    context.tell({ type: "warning", code: "CREDENTIALS_IGNORED", message: `${found}; going on without` });
  }

  #unauthorized(): RequestFailure {
    const { host } = this.#repository.base;
    const found = `${host} asks for ${offer(this.#requirements)}, and may have no such repository`;
    return new RequestFailure("UNAUTHORIZED", found, { hint: loginHint(this.#repository), host, status: 401 });
  }
}

function isGood(grant: Grant | undefined): grant is Grant {
  return grant !== undefined && grant.renewAt > performance.now();
}

/** Whether a server answered, so that the missing credential is the reason. */
function isAnswer(problem: unknown): boolean {
  const status = problem instanceof RequestFailure ? (problem.details.status ?? 0) : 0;
  return status >= 400 && status < 500 && status !== 429;
}

function offer({ offered }: AuthRequirements): string {
  return offered.length === 0 ? "a login" : `a login (${offered.join(" or ")})`;
}

function loginHint({ credentialHost }: Repository): string {
  return `log in with "oci-unpack login ${credentialHost}", or check the name of the repository`;
}

function newLoginHint({ credentialHost }: Repository): string {
  return `check the user and the password, or log in again with "oci-unpack login ${credentialHost}"`;
}
