import assert from "node:assert/strict";
import { test } from "node:test";
import type { Credential } from "../../src/registry/options.ts";
import { eventually } from "../support/eventually.ts";
import { heldTimers } from "../support/held-timers.ts";
import type { TokenAccess } from "../support/registry-access.ts";
import type { RegistryDouble } from "../support/registry-double.ts";
import { answer, answerJson, hangAfter, inSteps, ociErrors, resetAfter, stating } from "../support/registry-reply.ts";
import { asked, blob, failure, oneImage, puller } from "./pulling.ts";

const user = { username: "alice", password: "correct horse" };
const anyone: TokenAccess = { type: "token" };
const members: TokenAccess = { type: "token", ...user };

function tokenRequests({ requests }: RegistryDouble) {
  return requests.filter(({ path }) => path.startsWith("/token"));
}

function queryOf(path: string): [string, string][] {
  return [...new URL(path, "http://x").searchParams];
}

test("R-10: the first request is the real one, without a ping", async () => {
  await using one = await oneImage({ access: anyone });
  await using client = puller();
  await client.image(one.name).manifest();
  assert.deepEqual(
    asked(one.registry).map((line) => line.replace(/\?.*/, "")),
    ["GET manifests/latest", "GET /token", "GET manifests/latest"],
  );
});

test("R-10: a 401 without a challenge sends the client to the registry's root for one", async () => {
  await using one = await oneImage({ access: anyone });
  const challenge = `Bearer realm="${one.registry.url}/token",service="double"`;
  one.registry.next(/manifests/, answer(401));
  one.registry.next(/^\/v2\/$/, answer(401, { "www-authenticate": challenge }));
  await using client = puller();
  await client.image(one.name).manifest();
  assert.deepEqual(
    asked(one.registry).map((line) => line.replace(/\?.*/, "")),
    ["GET manifests/latest", "GET /v2/", "GET /token", "GET manifests/latest"],
  );
});

test("R-12: tokens are preferred to passwords, and schemes nobody knows are passed over", async () => {
  await using one = await oneImage({ access: members });
  const bearer = `Bearer realm="${one.registry.url}/token",service="double"`;
  one.registry.next(/manifests/, answer(401, { "www-authenticate": `Negotiate, Basic realm="b", ${bearer}` }));
  await using client = puller({ credentials: user });
  await client.image(one.name).manifest();
  assert.deepEqual(
    client.told("authenticate").map(({ scheme }) => scheme),
    ["bearer"],
  );
});

test("R-12: an error names the schemes that were offered, where none can be met", async () => {
  await using one = await oneImage();
  one.registry.always(/manifests/, answer(401, { "www-authenticate": "Negotiate, NTLM" }));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "UNAUTHORIZED");
  assert.match(error.message, /asks for a login \(negotiate or ntlm\)/);
});

test("R-13: the right to pull is asked for even if the challenge has no scope, or an opaque one", async () => {
  for (const [scope, expected] of [
    ["", ["repository:a/b:pull"]],
    ["aws", ["aws", "repository:a/b:pull"]],
    ["repository:a/b:pull,push", ["repository:a/b:pull,push"]],
  ] as const) {
    await using one = await oneImage({ access: { type: "token", scope } });
    await using client = puller();
    await client.image(one.name).manifest();
    const query = queryOf(tokenRequests(one.registry)[0]?.path ?? "");
    assert.deepEqual(
      query.filter(([name]) => name === "scope").map(([, value]) => value),
      expected,
    );
  }
});

test("R-14: a token is asked for with service, scope, client and account, never for offline use", async () => {
  await using one = await oneImage({ access: members });
  one.registry.next(/manifests/, (reply) =>
    stating({ "www-authenticate": `Bearer realm="${one.registry.url}/token?kept=1",service="s"` })(reply, {} as never),
  );
  await using client = puller({ credentials: user });
  await client.image(one.name).manifest();
  const [request] = tokenRequests(one.registry);
  assert.deepEqual(queryOf(request?.path ?? ""), [
    ["kept", "1"],
    ["service", "s"],
    ["scope", "repository:a/b:pull"],
    ["client_id", "oci-unpack"],
    ["account", "alice"],
  ]);
  assert.equal(request?.headers.authorization, `Basic ${Buffer.from("alice:correct horse").toString("base64")}`);
});

test("R-15: an identity token is exchanged by POST", async () => {
  await using one = await oneImage({ access: { ...members, identityToken: "refresh-me-please" } });
  await using client = puller({ credentials: { identityToken: "refresh-me-please" } });
  await client.image(one.name).manifest();
  const [request] = tokenRequests(one.registry);
  assert.equal(request?.method, "POST");
  assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: "refresh_token",
    refresh_token: "refresh-me-please",
    client_id: "oci-unpack",
    service: "double",
    scope: "repository:a/b:pull",
  });
});

test("R-15: where POST is not understood, GET is tried, and the first error is told", async () => {
  const credential: Credential = { username: "alice", identityToken: "correct horse" };
  for (const status of [400, 401, 404, 405]) {
    await using one = await oneImage({ access: members });
    one.registry.next(/token/, answer(status));
    await using client = puller({ credentials: credential });
    await client.image(one.name).manifest();
    assert.deepEqual(
      tokenRequests(one.registry).map(({ method }) => method),
      ["POST", "GET"],
    );
  }
  await using one = await oneImage({ access: members });
  one.registry.always(/token/, (_, { method }) => answer(method === "POST" ? 400 : 418)({} as never, {} as never));
  await using client = puller({ credentials: credential });
  assert.equal((await failure(client.image(one.name).manifest())).code, "CREDENTIALS_REJECTED");
});

test("R-16: token and access_token are both understood; access_token counts", async () => {
  await using one = await oneImage({ access: anyone });
  await using client = puller();
  one.registry.next(/token/, (reply, request) => {
    const { token } = JSON.parse(Buffer.from(reply.body).toString()) as { token: string };
    return answerJson(200, { token: "not this one", access_token: token })(reply, request);
  });
  await client.image(one.name).manifest();
});

test("R-16: an answer without a token is an error that quotes nothing of it: it may well be one", async () => {
  for (const [body, found] of [
    [`<html>\u001b[31m${"x".repeat(100)}`, "something that is not JSON"],
    ["{}", "an answer without a token"],
    ['{"token":5}', "an answer without a token"],
    ['{"token":"s3cret s3cret"}', "something that is not a token"],
  ] as const) {
    await using one = await oneImage({ access: anyone });
    one.registry.always(/token/, answer(200, {}, body));
    await using client = puller();
    const { code, message } = await failure(client.image(one.name).manifest());
    assert.deepEqual([code, message.split(" gives no token but ")[1]], ["REGISTRY_ERROR", found]);
  }
});

test("R-17: a token is good for as long as is said, for 60 s at least, and renewed 5 s early", async () => {
  const hour = 3600_000;
  for (const [saying, requests] of [
    [{}, 1],
    [{ expires_in: 1 }, 1],
    [{ expires_in: -5 }, 1],
    [{ expires_in: "X" }, 1],
    [{ expires_in: 300, issued_at: new Date(Date.now() + hour).toISOString() }, 1],
    [{ expires_in: 300, issued_at: new Date(Date.now() - hour).toISOString() }, 1],
    [{ expires_in: 300, issued_at: new Date(Date.now() - 296_000).toISOString() }, 2],
  ] as const) {
    await using one = await oneImage({ access: anyone });
    one.registry.always(/token/, (reply, request) => {
      const { token } = JSON.parse(Buffer.from(reply.body).toString()) as { token: string };
      return answerJson(200, { token, ...saying })(reply, request);
    });
    await using client = puller();
    const image = client.image(one.name);
    await image.manifest();
    await image.manifest();
    assert.equal(tokenRequests(one.registry).length, requests, JSON.stringify(saying));
  }
});

test("R-18: a relative realm is relative to the registry", async () => {
  await using one = await oneImage({ access: { ...anyone, realm: "/token" } });
  await using client = puller();
  await client.image(one.name).manifest();
  assert.equal(tokenRequests(one.registry).length, 1);
});

test("R-19: however many wait for a token, one is asked for", async () => {
  await using one = await oneImage({ access: anyone });
  await using client = puller();
  const image = client.image(one.name);
  await Promise.all(Array.from({ length: 8 }, () => blob(image, one.layer)));
  assert.equal(tokenRequests(one.registry).length, 1);
});

test("R-19: a token request that failed is not remembered", async () => {
  await using one = await oneImage({ access: anyone });
  one.registry.next(/token/, answer(418));
  await using client = puller();
  const image = client.image(one.name);
  await failure(image.manifest());
  await image.manifest();
});

test("R-19: whoever aborts does not take the token from the others", async () => {
  await using one = await oneImage({ access: anyone });
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  one.registry.next(
    /token/,
    inSteps(4, () => held),
  );
  await using client = puller();
  const image = client.image(one.name);
  const reason = new Error("changed my mind");
  const abort = new AbortController();
  const first = assert.rejects(blob(image, one.layer, abort.signal), reason);
  const second = blob(image, one.layer);
  const refused = () => client.told("decision").filter(({ topic }) => topic === "challenge").length;
  await eventually(
    () => refused() === 2 && tokenRequests(one.registry).length === 1,
    () => `asked for were ${asked(one.registry)}`,
  );
  abort.abort(reason);
  await first;
  goOn();
  assert.equal((await second).length, one.layer.size);
  assert.equal(tokenRequests(one.registry).length, 1);
});

test("R-20: a token that ends in the middle of a blob is renewed, and the blob goes on", async () => {
  await using one = await oneImage({ access: anyone });
  await using client = puller();
  one.registry.next(/blobs/, stating({})); // the refused one that asks for a token
  one.registry.next(/blobs/, (reply, request) => {
    one.registry.revokeTokens();
    return resetAfter(30_000)(reply, request);
  });
  const bytes = await blob(client.image(one.name), one.layer);
  assert.deepEqual(bytes, one.content);
  assert.equal(tokenRequests(one.registry).length, 2);
  assert.equal(one.registry.requests.at(-1)?.headers.range, "bytes=30000-");
});

test("R-21: where a fresh token is not enough, the scope of the new challenge is asked for, once", async () => {
  await using one = await oneImage({ access: anyone });
  const wider = `Bearer realm="${one.registry.url}/token",service="double",scope="repository:a/b:pull extra",error="insufficient_scope"`;
  one.registry.next(/manifests/, stating({}));
  one.registry.next(/manifests/, answer(401, { "www-authenticate": wider }));
  await using client = puller();
  await client.image(one.name).manifest();
  const scopes = tokenRequests(one.registry).map(({ path }) => new URL(path, "http://x").searchParams.getAll("scope"));
  assert.deepEqual(scopes, [["repository:a/b:pull"], ["repository:a/b:pull", "extra"]]);
});

test("R-21: a public image can be pulled with credentials that have expired, and the user hears of it", async () => {
  const stale = { ...user, password: "expired long ago", origin: "auth.json" };
  await using one = await oneImage({ access: { ...members, anonymous: true } });
  await using client = puller({ credentials: stale });
  await client.image(one.name).manifest();
  await client.image(one.name).manifest();
  assert.deepEqual(
    client.told("warning").map(({ code }) => code),
    ["CREDENTIALS_IGNORED"],
  );
  assert.match(client.told("warning")[0]?.message ?? "", /rejects the credentials from auth\.json; going on without$/);
});

test("R-21: rejected credentials are told from missing ones", async () => {
  for (const access of [members, { type: "basic", ...user } as const]) {
    await using one = await oneImage({ access });
    await using wrong = puller({ credentials: { ...user, password: "wrong password" } });
    const rejected = await failure(wrong.image(one.name).manifest());
    assert.equal(rejected.code, "CREDENTIALS_REJECTED");
    assert.match(rejected.hint ?? "", /^check the user and the password, .*oci-unpack login 127\.0\.0\.1:\d+"$/);
    await using none = puller();
    assert.equal((await failure(none.image(one.name).manifest())).code, "UNAUTHORIZED");
  }
});

test("R-21: a rejected password is shown to the registry once, not in a loop", async () => {
  await using one = await oneImage({ access: { type: "basic", ...user } });
  await using client = puller({ credentials: { ...user, password: "wrong password" } });
  await failure(client.image(one.name).manifest());
  assert.equal(one.registry.requests.filter(({ headers }) => headers.authorization !== undefined).length, 1);
});

test("R-22: a token server's 403 to the anonymous means that a login is wanted", async () => {
  await using one = await oneImage({ access: anyone });
  one.registry.always(/token/, answer(403, {}, ociErrors("DENIED", "denied")));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "UNAUTHORIZED");
  assert.equal(error.hint, `log in with "oci-unpack login ${one.registry.host}", or check the name of the repository`);
});

test("R-22: a missing repository, a missing manifest and a forbidden one are told apart", async () => {
  for (const [reply, code, text] of [
    [answer(404, {}, ociErrors("NAME_UNKNOWN", "no such name")), "NOT_FOUND", /has no such repository: NAME_UNKNOWN/],
    [answer(404, {}, ociErrors("MANIFEST_UNKNOWN", "unknown")), "NOT_FOUND", /has no such manifest: MANIFEST_UNKNOWN/],
    [answer(404, {}, "<html>"), "NOT_FOUND", /answers 404 Not Found/],
    [
      answer(403, {}, ociErrors("DENIED", "not for you")),
      "FORBIDDEN",
      /denies access \(403 Forbidden\): DENIED: not for you/,
    ],
    [answer(403, {}, ociErrors("UNKNOWN", "no")), "FORBIDDEN", /denies access \(403 Forbidden\): UNKNOWN: no/],
    [answer(403, {}, "<html>"), "FORBIDDEN", /denies access \(403 Forbidden\)$/],
  ] as const) {
    await using one = await oneImage();
    one.registry.always(/manifests/, reply);
    await using client = puller();
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, code);
    assert.match(error.message, text);
    assert.equal(one.registry.requests.length, 1, "none of them is asked for twice");
  }
});

test("a blob that is not there is a part of the image that is lost, also if whoever answers has no codes", async () => {
  for (const body of [ociErrors("BLOB_UNKNOWN", "unknown"), "<html>"]) {
    await using one = await oneImage();
    one.registry.always(/blobs/, answer(404, {}, body));
    await using client = puller();
    const image = client.image(one.name);
    await image.manifest();
    const error = await failure(blob(image, one.layer));
    assert.deepEqual(
      [error.code, error.hint],
      ["NOT_FOUND", "the registry has lost a part of the image: push it again"],
    );
  }
});

test("R-23: a token server that is busy is asked again", async () => {
  await using one = await oneImage({ access: anyone });
  one.registry.next(/token/, answer(429, { "retry-after": "0" }));
  one.registry.next(/token/, answer(503));
  await using client = puller();
  await client.image(one.name).manifest();
  assert.equal(tokenRequests(one.registry).length, 3);
});

test("R-23, security 9: a token server's endless answer is cut off", async () => {
  await using one = await oneImage({ access: anyone });
  one.registry.always(/token/, answerJson(200, { token: "x".repeat(5_000_000) }));
  await using client = puller();
  assert.equal((await failure(client.image(one.name).manifest())).code, "LIMIT_EXCEEDED");
});

test("R-23, security 4: a token server's redirect is not followed (ggcr #2291)", async () => {
  await using one = await oneImage({ access: members });
  one.registry.always(/token/, answer(307, { location: `${one.registry.url}/stolen` }));
  await using client = puller({ credentials: user });
  assert.equal((await failure(client.image(one.name).manifest())).code, "POLICY_DENIED");
  assert.ok(!one.registry.requests.some(({ path }) => path === "/stolen"));
});

test("R-23: the registry's authorization is not shown to the token server", async () => {
  await using one = await oneImage({ access: anyone });
  await using client = puller();
  const image = client.image(one.name);
  await image.manifest();
  one.registry.revokeTokens();
  await image.manifest();
  assert.deepEqual(
    tokenRequests(one.registry).map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
});

test("security 13: a challenge cannot smuggle parameters into a token request", async () => {
  await using one = await oneImage({ access: anyone });
  const service = "s&scope=repository:other:push#";
  one.registry.next(/manifests/, answer(401, { "www-authenticate": `Bearer realm="/token",service="${service}"` }));
  await using client = puller();
  await client.image(one.name).manifest();
  assert.deepEqual(queryOf(tokenRequests(one.registry)[0]?.path ?? "").slice(0, 2), [
    ["service", service],
    ["scope", "repository:a/b:pull"],
  ]);
});

test("security 13: a token cannot smuggle headers into a request", async () => {
  await using one = await oneImage({ access: anyone });
  one.registry.always(/token/, answerJson(200, { token: "x\r\nX-Injected: 1" }));
  await using client = puller();
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "REGISTRY_ERROR");
  assert.match(error.message, /gives no token/);
});

test("what a server repeats of a password or a token is blotted out", async () => {
  await using one = await oneImage({ access: members });
  await using client = puller({ credentials: user });
  one.registry.always(/manifests/, (reply, request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) return reply;
    return answer(403, {}, ociErrors("DENIED", `${user.password} gave ${authorization}`))(reply, request);
  });
  const { message } = await failure(client.image(one.name).manifest());
  assert.match(message, /DENIED: \[secret\] gave Bearer \[secret\]/);
  assert.doesNotMatch(JSON.stringify(client.events), new RegExp(`${user.password}|${one.registry.tokens[0]}`));
});

test("and so it is however the server writes it, in errors, hints, causes and events", async () => {
  const secret = { username: "alice", password: "pa/ss&word+1" };
  for (const [write, type] of [
    [JSON.stringify, "application/json"],
    [(text: string) => JSON.stringify(text).replaceAll("/", "\\/"), "application/json"],
    [(text: string) => JSON.stringify(text).replaceAll("a", "\\u0061"), "application/json"],
    [(text: string) => JSON.stringify(encodeURIComponent(text)), "application/json"],
    [(text: string) => JSON.stringify(text.replaceAll("&", "&amp;")), "application/json"],
    [(text: string) => JSON.stringify(Buffer.from(`x ${text}`).toString("base64")), "application/json"],
    [(text: string) => text.replaceAll("&", "&#38;"), "text/plain"],
  ] as const) {
    await using one = await oneImage({ access: { type: "basic", ...secret } });
    await using client = puller({ credentials: secret });
    one.registry.always(/manifests/, (reply, request) => {
      if (request.headers.authorization === undefined) return reply;
      const said = write(secret.password);
      const body = type === "text/plain" ? said : `{"errors":[{"code":"DENIED","message":${said}}]}`;
      return answer(403, { "content-type": type }, body)(reply, request);
    });
    const { message } = await failure(client.image(one.name).manifest());
    assert.match(message, /: .*\[secret\].?.?$/);
    assert.doesNotMatch(message, /ss.*word|c3Mmd29yZ/);
  }
});

test("a challenge, or a header, that repeats a password is told without it", async () => {
  const realm = `Realm of ${user.password}`;
  await using one = await oneImage({ access: { type: "basic", ...user } });
  one.registry.always(/manifests/, (reply, request) => {
    const known = request.headers.authorization === undefined ? {} : { "ratelimit-remaining": user.password };
    return answer(401, { "www-authenticate": `Basic realm="${realm}"`, ...known })(reply, request);
  });
  await using client = puller({ credentials: user });
  await failure(client.image(one.name).manifest());
  const told = JSON.stringify(client.events);
  assert.match(told, /has a quota, of which \[secret\] is left/);
  assert.match(told, /"realm":"Realm of \[secret\]"/);
});

test("a registry token is sent as it is", async () => {
  await using one = await oneImage({ access: anyone });
  const given = (await (await fetch(`${one.registry.url}/token?scope=repository:a/b:pull`)).json()) as {
    token: string;
  };
  await using client = puller({ credentials: { registryToken: given.token } });
  await client.image(one.name).manifest();
  assert.equal(tokenRequests(one.registry).length, 1, "the test's own");
});

test("credentials are looked up once for a repository, by the registry's name", async () => {
  await using one = await oneImage({ access: members });
  const lookups: string[] = [];
  await using client = puller({
    credentials: async (host, path) => {
      lookups.push(`${host} ${path}`);
      return user;
    },
  });
  await client.image(one.name).manifest();
  await blob(client.image(one.name), one.layer);
  assert.deepEqual(lookups, [`${one.registry.host} a/b`]);
});

test("R-10: a challenge costs no handshake: what follows takes the connection that it came by", async () => {
  for (const access of [members, { type: "basic", ...user } as const]) {
    await using one = await oneImage({ access });
    await using client = puller({ credentials: user });
    await client.image(one.name).manifest();
    assert.deepEqual(new Set(one.registry.requests.map(({ connection }) => connection)), new Set([1]));
    assert.equal(one.registry.requests.length, access.type === "basic" ? 2 : 3);
  }
});

test("R-10: a challenge whose body does not end is not waited for", { timeout: 120_000 }, async (context) => {
  await using one = await oneImage({ access: members });
  one.registry.next(/manifests/, hangAfter(1));
  heldTimers(context, 2_000, 20_000); // what would end it in the end never comes
  await using client = puller({ credentials: user });
  await client.image(one.name).manifest();
});
