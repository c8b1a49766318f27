import { randomUUID } from "node:crypto";
import type { RecordedRequest, Reply } from "./registry-reply.ts";
import { ociErrors } from "./registry-reply.ts";

/** Whom a registry double lets in. */
export type Access =
  | { readonly type: "open" }
  | { readonly type: "basic"; readonly username: string; readonly password: string }
  | TokenAccess;

/** Bearer tokens from `/token`, as Docker Hub gives them out (distribution, "Token Authentication"). */
export interface TokenAccess {
  readonly type: "token";
  /** Who gets tokens. Default: whoever asks. */
  readonly username?: string;
  readonly password?: string;
  /** A refresh token that a POST may present. Without one, POST is not supported here (404). */
  readonly identityToken?: string;
  /** Gives tokens to the anonymous even where there is a user. Default: false. */
  readonly anonymous?: boolean;
  /** How long a token holds, and what is said about it. Default: 300. */
  readonly expiresInSeconds?: number;
  /** Default: `/token` of this server. */
  readonly realm?: string;
  /** The challenge's scope. Default: the one that the request needs. */
  readonly scope?: string;
}

/** Decides about requests, and gives out tokens. */
export interface Gate {
  /** The reply for whoever may not pass. */
  refusal(request: RecordedRequest): Reply | undefined;
  /** Answers `/token`. */
  token(request: RecordedRequest): Reply;
  /** Every token given out so far; a planted secret, as tests for leaks see it. */
  readonly tokens: readonly string[];
  /** Makes all tokens worthless at once. */
  revoke(): void;
}

/** `origin` is a function because a server knows its port only when it listens. */
export function gateFor(access: Access, origin: () => string): Gate {
  const valid = new Map<string, { scopes: string; until: number }>();
  const tokens: string[] = [];

  return {
    tokens,
    revoke: () => valid.clear(),
    refusal(request) {
      if (access.type === "open") return undefined;
      const { authorization = "" } = request.headers;
      if (access.type === "basic") {
        return authorization === basic(access) ? undefined : unauthorized('Basic realm="double", charset="UTF-8"');
      }
      const grant = valid.get(authorization.replace(/^Bearer /, ""));
      const scope = scopeOf(request);
      if (grant !== undefined && grant.until > Date.now() && (scope === "" || grant.scopes.includes(scope)))
        return undefined;
      return unauthorized(bearer(access, origin(), scope));
    },
    token(request) {
      if (access.type !== "token") return refused(404);
      const asked =
        request.method === "POST" ? new URLSearchParams(request.body) : new URL(request.path, "http://x").searchParams;
      if (request.method === "POST") {
        if (access.identityToken === undefined) return refused(404);
        if (asked.get("refresh_token") !== access.identityToken) return refused(401);
      } else if (!mayAsk(access, request.headers.authorization)) return refused(401);

      const token = `token-${randomUUID()}`;
      const lifetime = access.expiresInSeconds ?? 300;
      tokens.push(token);
      valid.set(token, { scopes: asked.getAll("scope").join(" "), until: Date.now() + lifetime * 1000 });
      return json(200, { token, expires_in: lifetime, issued_at: new Date().toISOString() });
    },
  };
}

function mayAsk(access: TokenAccess, authorization: string | undefined): boolean {
  if (access.username === undefined) return true;
  if (authorization === undefined) return access.anonymous === true;
  return authorization === basic({ username: access.username, password: access.password ?? "" });
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function bearer(access: TokenAccess, origin: string, neededScope: string): string {
  const scope = access.scope ?? neededScope;
  const realm = access.realm ?? `${origin}/token`;
  return `Bearer realm="${realm}",service="double"${scope === "" ? "" : `,scope="${scope}"`}`;
}

function scopeOf(request: RecordedRequest): string {
  const repository = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(request.path)?.[1];
  return repository === undefined ? "" : `repository:${repository}:pull`;
}

function unauthorized(challenge: string): Reply {
  const body = Buffer.from(ociErrors("UNAUTHORIZED", "authentication required"));
  return { status: 401, headers: { "www-authenticate": challenge, "content-length": body.length }, body };
}

function refused(status: number): Reply {
  return json(status, { details: "no token for you" });
}

function json(status: number, value: unknown): Reply {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", "content-length": body.length }, body };
}
