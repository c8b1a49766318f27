import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { KeyPair } from "./certificates.ts";

export interface TokenServerOptions {
  /** What tokens are signed with; a registry that has the certificate believes them. */
  readonly keyPair: KeyPair;
  readonly service: string;
  /** Who gets tokens. */
  readonly username: string;
  readonly password: string;
}

/** A server that signs JSON Web Tokens for docker-registry (distribution, "Token Authentication Implementation"). */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly issuer: string;
  /** The scopes of each token given out. */
  readonly granted: readonly string[];
}

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const granted: string[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://x").searchParams;
    if (!isLogin(request, options)) {
      response.writeHead(401).end();
      return;
    }
    const scopes = query.getAll("scope");
    granted.push(scopes.join(" "));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token: jwt(scopes, options), expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    realm: `http://127.0.0.1:${port}/token`,
    issuer,
    granted,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const issuer = "oci-unpack-test";

function isLogin({ headers }: IncomingMessage, { username, password }: TokenServerOptions): boolean {
  return headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function jwt(scopes: readonly string[], { keyPair, service, username }: TokenServerOptions): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: "JWT", alg: "ES256", x5c: [new X509Certificate(keyPair.cert).raw.toString("base64")] };
  const access = scopes.map((scope) => {
    const [type, name, actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const claims = {
    ...{ iss: issuer, sub: username, aud: service, jti: randomUUID(), access },
    ...{ iat: now, nbf: now - 5, exp: now + 300 },
  };
  const content = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const key = createPrivateKey(keyPair.key);
  return `${content}.${sign("sha256", Buffer.from(content), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
