import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { verifyLogin } from "../../src/registry/verify-login.ts";
import { failure } from "../source/pulling.ts";
import { authority, selfSigned } from "../support/certificates.ts";
import { output } from "../support/command.ts";
import { dockerRegistry } from "../support/docker-registry.ts";
import { startRegistry } from "../support/registry-double.ts";
import { answer } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { startTokenServer } from "../support/token-server.ts";
import { skipWithout } from "../support/tools.ts";

const skip = skipWithout("docker-registry", "openssl", "htpasswd");
const user = { username: "alice", password: "correct horse" };
const stranger = { ...user, password: "wrong password" };

test("a docker-registry with passwords takes the right one and rejects another", { skip }, async () => {
  await using temporary = await scratch();
  const path = join(temporary.directory, "htpasswd");
  await writeFile(path, await output("htpasswd", ["-Bbn", user.username, user.password]));
  await using registry = await dockerRegistry({ auth: { htpasswd: { realm: "test", path } } });
  assert.equal(await verifyLogin(registry.host, user), "accepted");
  assert.equal(await verifyLogin(`http://${registry.host}/acme/`, user), "accepted");
  const error = await failure(verifyLogin(registry.host, stranger));
  assert.equal(error.code, "CREDENTIALS_REJECTED");
  assert.match(error.message, /^cannot log in to \S+: the user name or the password is wrong: \S+ answers 401$/);
  assert.match(error.hint ?? "", /`login` without `verifyLogin`/);
});

test("a docker-registry with signed tokens takes whom its token server knows", { skip }, async () => {
  await using temporary = await scratch();
  const keyPair = await selfSigned();
  const rootcertbundle = join(temporary.directory, "bundle.pem");
  await writeFile(rootcertbundle, keyPair.cert);
  await using tokens = await startTokenServer({ keyPair, service: "test", ...user });
  const token = { realm: tokens.realm, service: "test", issuer: tokens.issuer, rootcertbundle };
  await using registry = await dockerRegistry({ auth: { token } });
  assert.equal(await verifyLogin(registry.host, user), "accepted");
  assert.deepEqual(tokens.granted, [""], "no right is asked for but to come in");
  const error = await failure(verifyLogin(registry.host, stranger));
  assert.equal(error.code, "CREDENTIALS_REJECTED");
  assert.match(error.message, /the token server \S+ answers 401$/);
});

test("a registry with TLS is asked once its authority is known", { skip }, async () => {
  await using temporary = await scratch();
  const own = await authority();
  const pair = await own.issue();
  const path = (name: string) => join(temporary.directory, name);
  await writeFile(path("cert.pem"), pair.cert);
  await writeFile(path("key.pem"), pair.key);
  await writeFile(path("htpasswd"), await output("htpasswd", ["-Bbn", user.username, user.password]));
  await using registry = await dockerRegistry({
    auth: { htpasswd: { realm: "test", path: path("htpasswd") } },
    tls: { certificate: path("cert.pem"), key: path("key.pem") },
  });
  assert.equal(await verifyLogin(registry.host, user, { tls: { ca: [own.cert] } }), "accepted");
  const unknown = await failure(verifyLogin(registry.host, user, { plainHttp: false }));
  assert.equal(unknown.code, "CERTIFICATE");
});

test("a registry that is open to everybody cannot tell", async () => {
  await using registry = await startRegistry();
  assert.equal(await verifyLogin(registry.host, user), "not asked");
});

test("a rejected login is not tried again, not even as nobody", async () => {
  await using registry = await startRegistry({ access: { type: "basic", ...user } });
  registry.always(/^\/v2\/$/, answer(401, { "www-authenticate": 'Basic realm="double"' }));
  assert.equal((await failure(verifyLogin(registry.host, stranger))).code, "CREDENTIALS_REJECTED");
  assert.deepEqual(
    registry.requests.map(({ headers }) => headers.authorization !== undefined),
    [false, true],
  );
});

test("the scope of the root's challenge, which ghcr.io makes up, is not asked for", async () => {
  const scope = "repository:user/image:pull";
  await using registry = await startRegistry({ access: { type: "token", ...user, scope } });
  assert.equal(await verifyLogin(registry.host, user), "accepted");
  const asked = registry.requests.filter(({ path }) => path.startsWith("/token"));
  assert.deepEqual(
    asked.map(({ path }) => new URL(path, registry.url).searchParams.getAll("scope")),
    [[]],
  );
});

test("security 2: a password is not shown to a token server that is not known to be the registry's", async () => {
  await using other = await startRegistry({ address: "127.0.0.2", access: { type: "token" } });
  await using registry = await startRegistry();
  const challenge = { "www-authenticate": `Bearer realm="${other.url}/token",service="s"` };
  registry.always(/^\/v2\/$/, answer(401, challenge));
  assert.equal((await failure(verifyLogin(registry.host, user))).code, "POLICY_DENIED");
  assert.equal(other.requests.length, 0);
});

test("what is no registry, and what asks for no password, is an error", async () => {
  await using registry = await startRegistry();
  registry.next(/./, answer(404, {}, "<html>"));
  assert.equal((await failure(verifyLogin(registry.host, user))).code, "NOT_FOUND");
  registry.next(/./, answer(401, { "www-authenticate": "Negotiate" }));
  assert.match((await failure(verifyLogin(registry.host, user))).message, /asks for no password but for negotiate$/i);
  assert.equal((await failure(verifyLogin("no registry", user))).code, "INVALID_OPTION");
});

test("an abort ends the question with its own reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(verifyLogin("127.0.0.1:9", user, { signal }), /enough/);
});
