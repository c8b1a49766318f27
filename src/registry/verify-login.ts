import { CallContext } from "../base/call-context.ts";
import { check, checkOptions, type Kinds, secret, shape, signal as signalKind, text } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { HttpResponse } from "../http/http.ts";
import { cannot, RequestFailure } from "../http/request-failure.ts";
import { statusFailure } from "../http/status-failure.ts";
import { parseReference } from "../oci/reference.ts";
import { type BearerDemand, demandsIn } from "./auth/demand.ts";
import { basicAuthorization, fetchToken, secretsOf } from "./auth/token.ts";
import { Client } from "./client.ts";
import { firstOf, sitesOf } from "./endpoints.ts";
import { type RegistryOptions, registryKinds } from "./options.ts";
import { loginKey } from "./registry-name.ts";
import type { Site } from "./repository.ts";

export interface VerifyLoginOptions extends RegistryOptions {
  readonly signal?: AbortSignal;
}

const verifyKinds: Kinds<VerifyLoginOptions> = { ...registryKinds, signal: signalKind };

/**
 * Asks a registry (`ghcr.io`, or a part of one: `ghcr.io/acme`) whether it takes a user's password, as docker and podman do:
 * by its root, which asks for what all of it asks for.
 *
 * Gives `"not asked"` where that is open to everybody, so that nobody can tell. Throws `CREDENTIALS_REJECTED` where the
 * password is wrong; and as any request does, where the registry cannot be asked.
 */
export async function verifyLogin(
  registry: string,
  user: User,
  given: VerifyLoginOptions = {},
): Promise<"accepted" | "not asked"> {
  check("registry", registry, text);
  check("user", user, userKind);
  checkOptions(given, verifyKinds);
  const { signal, ...options } = given;
  const key = loginKey(registry);
  using client = new Client(options);
  client.secrets.add(...secretsOf(user));
  const context = new CallContext(signal, client.secrets, options.onEvent);
  try {
    const { site, response } = await firstAnswer(await ownSites(key, client, options, context), client, context);
    await response.body.dismissed();
    if (response.status === 200) return "not asked";
    const authorization = await authorizationFor(user, { site, response, client }, context);
    const { status, body } = await client.correspondence.ping(site, context, authorization);
    body.dismiss();
    if (status === 200) return "accepted";
    throw rejected(`${site.base.host} answers ${status}`, status, site);
  } catch (problem) {
    throw cannot(`log in to ${key}`, problem, client.secrets);
  }
}

/** Where the registry itself answers, by this machine's configuration: a mirror has logins of its own. */
async function ownSites(
  key: string,
  client: Client,
  options: RegistryOptions,
  context: CallContext,
): Promise<readonly Site[]> {
  const reference = parseReference(`${key}/any/repository`); // two components: one may be Docker Hub's own
  const configured = await sitesOf(reference, client, options, context);
  const own = configured.filter(({ isOrigin }) => isOrigin);
  const { endpoints: _, ...withoutMirrors } = options;
  return own.length > 0 ? own : sitesOf(reference, client, withoutMirrors, context);
}

interface Asked {
  readonly site: Site;
  readonly response: HttpResponse;
  readonly client: Client;
}

/** What the root says to somebody whom it does not know. An insecure registry has two sites, with TLS and without. */
function firstAnswer(
  sites: readonly Site[],
  client: Client,
  context: CallContext,
): Promise<Pick<Asked, "site" | "response">> {
  return firstOf(sites, client, context, async (site) => {
    const response = await client.correspondence.ping(site, context);
    if (response.status !== 200 && response.status !== 401) throw await statusFailure(response, client.secrets);
    return { site, response };
  });
}

/** What to show for what the root asks for: a token for this user, or the password itself. */
async function authorizationFor(user: User, asked: Asked, context: CallContext): Promise<string | undefined> {
  const { site, response } = asked;
  const { usable, offered } = demandsIn(response);
  const [demand] = usable;
  context.decided("challenge", `${site.base.host} asks for a login (${offered.join(" or ") || "of no kind"})`);
  if (demand?.scheme === "bearer") return (await tokenFor(user, demand, asked, context)).authorization;
  if (demand?.scheme === "basic") return basicAuthorization(user);
  const { host } = site.base;
  throw new RequestFailure(
    "UNAUTHORIZED",
    `${host} asks for no password but for ${offered.join(" or ") || "nothing"}`,
    {
      host,
    },
  );
}

async function tokenFor(
  user: User,
  { realm, service }: BearerDemand,
  { site, response, client }: Asked,
  context: CallContext,
) {
  const { policy, secrets, tokenRequest, admitScheme } = client.correspondence;
  admitScheme(realm, site.base);
  const { host } = site.base;
  if (!(await policy.trusts(realm, site.base))) {
    const found = `${host} wants the password shown to ${realm.host}, which is not known to belong to it`;
    const hint = `allow "${realm.host}" with \`network.allowHosts\`, if it is to be trusted`;
    throw new RequestFailure("POLICY_DENIED", found, { host, hint });
  }
  const isOwnHost = realm.hostname === site.base.hostname;
  const reach = isOwnHost ? site.reach : policy.referred(response.address);
  context.decided("token", `${realm.host} is shown the login, and asked for a token`);
  const request = tokenRequest({ realm, reach, tls: isOwnHost ? site.tls : undefined }, context);
  try {
    // No right is asked for, whatever the challenge says: ghcr.io's names a repository that nobody has.
    return await fetchToken({ realm, service, scopes: [], credential: user }, request, secrets);
  } catch (problem) {
    if (!(problem instanceof RequestFailure && problem.code === "CREDENTIALS_REJECTED")) throw problem;
    throw rejected(problem.message, problem.details.status, site);
  }
}

function rejected(answer: string, status: number | undefined, { base: { host } }: Site): RequestFailure {
  return new RequestFailure(
    "CREDENTIALS_REJECTED",
    `the user name or the password is wrong: ${answer}`,
    present({
      host,
      status,
      hint: "a registry may want an access token in place of the password; `login` without `verifyLogin` keeps one untried",
    }),
  );
}

/** A user and what proves it. */
export interface User {
  readonly username: string;
  readonly password: string;
}

export const userKind = secret(shape<User>({ username: text, password: secret(text) }, ["username", "password"]));
