import type { OutgoingHttpHeaders } from "node:http";
import { RequestFailure } from "../../http/request-failure.ts";
import type { Secrets } from "../../http/secrets.ts";
import type { Credential } from "../options.ts";

/** What is requested from a token server (distribution, "Token Authentication" and "OAuth2 Token Authentication"). */
interface TokenQuery {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Each once, the most important first: some servers read only that one. */
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
}

/** An authorization and how long it can be used. */
export interface Grant {
  readonly authorization: string;
  /** When to renew it, in the time of `performance.now`. */
  readonly renewAt: number;
}

export type TokenRequest = (request: {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}) => Promise<TokenResponse>;

interface TokenResponse {
  readonly status: number;
  readonly body: Buffer;
}

const clientId = "oci-unpack";
/**
 * The shortest lifetime of a token, and that of a token whose lifetime is not stated (distribution, "Token
 * Authentication").
 */
const shortestSeconds = 60;
const renewEarlySeconds = 5;
/** The answers of servers that do not support POST: ACR 400, Artifactory 401, GCR 404, others 405. */
const postUnsupported = new Set([400, 401, 404, 405]);

/** Exchanges a credential, or none, for a token. */
export async function fetchToken(query: TokenQuery, request: TokenRequest, secrets: Secrets): Promise<Grant> {
  const { credential } = query;
  if (credential === undefined || !("identityToken" in credential))
    return grantIn(await request(getRequest(query)), query, secrets);

  const posted = await request(postRequest(query, credential.identityToken));
  if (!postUnsupported.has(posted.status)) return grantIn(posted, query, secrets);
  const refusal = refusalIn(posted, query);
  try {
    return grantIn(await request(getRequest(query)), query, secrets);
  } catch (problem) {
    throw problem instanceof RequestFailure && problem.details.temporary !== true ? refusal : problem;
  }
}

/** `Authorization: Basic` for a password, or for an identity token as the password. */
export function basicAuthorization(credential: Credential | undefined): string | undefined {
  if (credential === undefined || "registryToken" in credential) return undefined;
  const pair =
    "identityToken" in credential
      ? `${credential.username ?? "<token>"}:${credential.identityToken}`
      : `${credential.username}:${credential.password}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

/** The parts of a credential that are secret. */
export function secretsOf(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return [];
  if ("registryToken" in credential) return [credential.registryToken];
  if ("identityToken" in credential) return [credential.identityToken];
  return [credential.password, (basicAuthorization(credential) ?? "").slice("Basic ".length)];
}

function getRequest({ realm, service, scopes, credential }: TokenQuery): Parameters<TokenRequest>[0] {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  url.searchParams.set("client_id", clientId);
  if (credential !== undefined && "password" in credential) url.searchParams.set("account", credential.username);
  const authorization = basicAuthorization(credential);
  return { method: "GET", url, headers: authorization === undefined ? {} : { authorization } };
}

function postRequest({ realm, service, scopes }: TokenQuery, identityToken: string): Parameters<TokenRequest>[0] {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: identityToken, client_id: clientId });
  if (service !== undefined) form.set("service", service);
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url: realm, headers, body: form.toString() };
}

function grantIn(response: TokenResponse, query: TokenQuery, secrets: Secrets): Grant {
  if (response.status !== 200) throw refusalIn(response, query);
  const { host } = query.realm;
  const text = response.body.toString("utf8");
  const document = parsedObject(text);
  const token = [document?.access_token, document?.token].find((one) => typeof one === "string" && one !== "");
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    // The answer may contain a token nevertheless, so nothing of it is quoted.
    const given =
      document === undefined
        ? "something that is not JSON"
        : token === undefined
          ? "an answer without a token"
          : "something that is not a token";
    throw new RequestFailure("REGISTRY_ERROR", `the token server ${host} gives no token but ${given}`, { host });
  }
  secrets.add(token);
  return { authorization: `Bearer ${token}`, renewAt: performance.now() + lifetimeMilliseconds(document ?? {}) };
}

function refusalIn({ status }: TokenResponse, { realm, credential }: TokenQuery): RequestFailure {
  const { host } = realm;
  if (status >= 300 && status < 400) {
    return new RequestFailure("POLICY_DENIED", `the token server ${host} redirects, which is not followed`, {
      status,
      host,
    });
  }
  if (credential !== undefined && status >= 400 && status < 500) {
    return new RequestFailure("CREDENTIALS_REJECTED", `the token server ${host} answers ${status}`, { status, host });
  }
  if (status === 401 || status === 403) {
    return new RequestFailure("UNAUTHORIZED", `the token server ${host} gives no token without a login`, {
      status,
      host,
    });
  }
  return new RequestFailure("REGISTRY_ERROR", `the token server ${host} answers ${status}`, { status, host });
}

/** The answer of a token server, not checked. */
interface Statement {
  readonly access_token?: unknown;
  readonly token?: unknown;
  readonly expires_in?: unknown;
  readonly issued_at?: unknown;
}

function lifetimeMilliseconds(document: Statement, now = Date.now()): number {
  const seconds = Math.max(Number(document.expires_in) || 0, shortestSeconds);
  const issued = typeof document.issued_at === "string" ? Date.parse(document.issued_at) : now;
  const until = issued + seconds * 1000;
  // If the server's clock differs from ours, its times cannot be used.
  const remaining = issued <= now && until > now ? until - now : seconds * 1000;
  return remaining - renewEarlySeconds * 1000;
}

function parsedObject(text: string): Statement | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
