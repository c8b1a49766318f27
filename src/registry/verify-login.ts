import { CallContext } from "../base/call-context.ts";
import { check, checkOptions, type Kinds, secret, shape, signal as signalKind, text } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { HttpResponse } from "../http/http.ts";
import { cannot, RequestFailure } from "../http/request-failure.ts";
import { statusFailure } from "../http/status-failure.ts";
import { parseReference } from "../oci/reference.ts";
import { type BearerRequirement, requirementsIn } from "./auth/auth-requirement.ts";
import { basicAuthorization, fetchToken, secretsOf } from "./auth/token.ts";
import { Client } from "./client.ts";
import { firstAnswerOf, repositoriesOf } from "./endpoints.ts";
import { type RegistryOptions, registryKinds } from "./options.ts";
import { loginKey } from "./registry-name.ts";
import type { Repository } from "./repository.ts";

export interface VerifyLoginOptions extends RegistryOptions {
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

const verifyKinds: Kinds<VerifyLoginOptions> = { ...registryKinds, signal: signalKind };

/**
 * Asks a registry (`ghcr.io`, or a part of one: `ghcr.io/acme`) whether it accepts a user's password. The request goes
 * to the root of its API, as for docker and podman.
 *
 * Returns `"not asked"` if the root is open to everybody, so that the password cannot be checked. Throws
 * `CREDENTIALS_REJECTED` if it is wrong, and the error of the request if the registry cannot be asked.
 */
export async function verifyLogin(
  registry: string,
  user: User,
  given: VerifyLoginOptions = {},
): Promise<"accepted" | "not asked"> {
  check("registry", registry, text);
  check("user", user, userKind);
  const { signal, ...options } = checkOptions(given, verifyKinds);
  const key = loginKey(registry);
  using client = new Client(options);
  client.secrets.add(...secretsOf(user));
  const context = new CallContext(signal, client.secrets, options.onEvent);
  try {
    const { repository, response } = await firstAnswer(
      await ownRepositories(key, client, options, context),
      client,
      context,
    );
    await response.body.dismissed();
    if (response.status === 200) return "not asked";
    const authorization = await authorizationFor(user, { repository, response, client }, context);
    const { status, body } = await client.authClient.ping(repository, context, authorization);
    body.dismiss();
    if (status === 200) return "accepted";
    throw rejected(`${repository.base.host} answers ${status}`, status, repository);
  } catch (problem) {
    throw cannot(`log in to ${key}`, problem, { registry: key, secrets: client.secrets });
  }
}

/** The registry's own repositories by this machine's configuration, without mirrors: a mirror has other logins. */
async function ownRepositories(
  key: string,
  client: Client,
  options: RegistryOptions,
  context: CallContext,
): Promise<readonly Repository[]> {
  const reference = parseReference(`${key}/any/repository`); // two components: with one it may be an official image of Docker Hub
  const configured = await repositoriesOf(reference, client, options, context);
  const own = configured.filter(({ isOrigin }) => isOrigin);
  const { endpoints: _, ...withoutMirrors } = options;
  return own.length > 0 ? own : repositoriesOf(reference, client, withoutMirrors, context);
}

interface Asked {
  readonly repository: Repository;
  readonly response: HttpResponse;
  readonly client: Client;
}

/** The response of the root to a request without credentials. An insecure registry is asked with TLS and without. */
function firstAnswer(
  repositories: readonly Repository[],
  client: Client,
  context: CallContext,
): Promise<Pick<Asked, "repository" | "response">> {
  return firstAnswerOf(repositories, client, context, async (repository) => {
    const response = await client.authClient.ping(repository, context);
    if (response.status !== 200 && response.status !== 401) throw await statusFailure(response, client.secrets);
    return { repository, response };
  });
}

/** The authorization that the root asks for: a token for this user, or the password itself. */
async function authorizationFor(user: User, asked: Asked, context: CallContext): Promise<string | undefined> {
  const { repository, response } = asked;
  const { usable, offered } = requirementsIn(response);
  const [requirement] = usable;
  context.decided("challenge", `${repository.base.host} asks for a login (${offered.join(" or ") || "of no kind"})`);
  if (requirement?.scheme === "bearer") return (await tokenFor(user, requirement, asked, context)).authorization;
  if (requirement?.scheme === "basic") return basicAuthorization(user);
  const { host } = repository.base;
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
  { realm, service }: BearerRequirement,
  { repository, response, client }: Asked,
  context: CallContext,
) {
  const { policy, secrets, tokenRequest, admitScheme } = client.authClient;
  admitScheme(realm, repository.base);
  const { host } = repository.base;
  if (!(await policy.trusts(realm, repository.base))) {
    const found = `${host} wants the password sent to ${realm.host}, which is not known to belong to it`;
    const hint = `allow "${realm.host}" with \`network.allowHosts\`, if it is to be trusted`;
    throw new RequestFailure("POLICY_DENIED", found, { host, hint });
  }
  const isOwnHost = realm.hostname === repository.base.hostname;
  const reach = isOwnHost ? repository.reach : policy.referred(response.address);
  context.decided("token", `${realm.host} is sent the login, and asked for a token`);
  const request = tokenRequest({ realm, reach, tls: isOwnHost ? repository.tls : undefined }, context);
  try {
    // Without a scope, whatever the challenge says: that of ghcr.io names a repository that does not exist.
    return await fetchToken({ realm, service, scopes: [], credential: user }, request, secrets);
  } catch (problem) {
    if (!(problem instanceof RequestFailure && problem.code === "CREDENTIALS_REJECTED")) throw problem;
    throw rejected(problem.message, problem.details.status, repository);
  }
}

function rejected(answer: string, status: number | undefined, { base: { host } }: Repository): RequestFailure {
  return new RequestFailure(
    "CREDENTIALS_REJECTED",
    `the user name or the password is wrong: ${answer}`,
    present({
      host,
      status,
      hint: "the registry may want an access token as the password; `login` without `verifyLogin` stores one without a check",
    }),
  );
}

/** A user with a password. */
export interface User {
  readonly username: string;
  readonly password: string;
}

export const userKind = secret(shape<User>({ username: text, password: secret(text) }, ["username", "password"]));
