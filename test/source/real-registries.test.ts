import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import type { RegistryOptions } from "../../src/registry/options.ts";
import { authority, selfSigned } from "../support/certificates.ts";
import { output } from "../support/command.ts";
import { type DockerRegistryOptions, dockerRegistry } from "../support/docker-registry.ts";
import { image } from "../support/image.ts";
import { startNginx } from "../support/nginx.ts";
import { push } from "../support/push.ts";
import { startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { startTokenServer } from "../support/token-server.ts";
import { skipWithout } from "../support/tools.ts";
import { blob, distinctBytes, failure, puller } from "./pulling.ts";

const skip = skipWithout("docker-registry", "openssl", "htpasswd");
const sample = image(sampleLayers());
const user = { username: "alice", password: "correct horse" };

/** A docker-registry that has the sample as `ns/image:tag` and lets in whom its configuration says. */
async function stocked(directory: string, options: DockerRegistryOptions) {
  const storage = join(directory, "storage");
  {
    await using open = await dockerRegistry({ storage });
    await push(open.host, "ns/image", "tag", sample);
  }
  return dockerRegistry({ storage, ...options });
}

/** Pulls the sample and checks every byte. */
async function pull(host: string, options: RegistryOptions): Promise<void> {
  await using client = puller({ ...options, deadlines: { responseMilliseconds: 10_000, stallMilliseconds: 10_000 } });
  const bound = client.image(`${host}/ns/image:tag`);
  const { mediaType, bytes } = await bound.manifest();
  assert.equal(mediaType, sample.manifest.descriptor.mediaType);
  assert.equal(digestOf(bytes), sample.manifest.descriptor.digest);
  await Promise.all(
    [sample.config, ...sample.layers].map(async ({ descriptor }) => {
      assert.equal(digestOf(await blob(bound, descriptor)), descriptor.digest);
    }),
  );
}

test("an open docker-registry is pulled from, and says which of the image's names it does not know", {
  skip,
}, async () => {
  await using temporary = await scratch();
  await using registry = await stocked(temporary.directory, {});
  await pull(registry.host, {});
  await using client = puller();
  const missing = await failure(client.image(`${registry.host}/ns/image:other`).manifest());
  assert.equal(missing.code, "NOT_FOUND");
  assert.match(missing.message, /has no such manifest: MANIFEST_UNKNOWN/);
});

test("a docker-registry with passwords is pulled from with the right one", { skip }, async () => {
  await using temporary = await scratch();
  const path = join(temporary.directory, "htpasswd");
  await writeFile(path, await output("htpasswd", ["-Bbn", user.username, user.password]));
  await using registry = await stocked(temporary.directory, { auth: { htpasswd: { realm: "test", path } } });
  await pull(registry.host, { credentials: user });
  for (const [credentials, code] of [
    [{ ...user, password: "wrong password" }, "CREDENTIALS_REJECTED"],
    [undefined, "UNAUTHORIZED"],
  ] as const) {
    await using client = puller(credentials === undefined ? {} : { credentials });
    assert.equal((await failure(client.image(`${registry.host}/ns/image:tag`).manifest())).code, code);
  }
});

test("a docker-registry with signed tokens is pulled from, with one token for everything", { skip }, async () => {
  await using temporary = await scratch();
  const keyPair = await selfSigned();
  const rootcertbundle = join(temporary.directory, "bundle.pem");
  await writeFile(rootcertbundle, keyPair.cert);
  await using tokens = await startTokenServer({ keyPair, service: "test", ...user });
  const token = { realm: tokens.realm, service: "test", issuer: tokens.issuer, rootcertbundle };
  await using registry = await stocked(temporary.directory, { auth: { token } });
  await pull(registry.host, { credentials: user });
  assert.deepEqual(tokens.granted, ["repository:ns/image:pull"]);
  await using client = puller({ credentials: { ...user, password: "wrong password" } });
  assert.equal((await failure(client.image(`${registry.host}/ns/image:tag`).manifest())).code, "CREDENTIALS_REJECTED");
});

test("a docker-registry that wants client certificates is pulled from with one", { skip }, async () => {
  await using temporary = await scratch();
  const own = await authority();
  const server = await own.issue();
  const path = (name: string) => join(temporary.directory, name);
  await writeFile(path("cert.pem"), server.cert);
  await writeFile(path("key.pem"), server.key);
  await writeFile(path("ca.pem"), own.cert);
  const tls = { certificate: path("cert.pem"), key: path("key.pem"), clientcas: [path("ca.pem")] };
  await using registry = await stocked(temporary.directory, { tls });
  const mine = await own.issue({ names: "DNS:me.test" });
  await pull(registry.host, { tls: { ca: [own.cert], ...mine } });
  await using without = puller({ tls: { ca: [own.cert] } });
  const missing = await failure(without.image(`${registry.host}/ns/image:tag`).manifest());
  assert.equal(missing.code, "CERTIFICATE");
  assert.match(missing.message, /wants a client certificate$/);
  await using stranger = puller({ tls: { ca: [own.cert], ...(await selfSigned()) } });
  const unknown = await failure(stranger.image(`${registry.host}/ns/image:tag`).manifest());
  assert.equal(unknown.code, "CERTIFICATE");
  assert.match(unknown.message, /wants another client certificate: ERR_SSL_\w+$/, "it is not called missing");
});

const skipNginx = skipWithout("nginx");
const secret = "only nginx and the registry know this";

/** A link that nginx believes until it expires (ngx_http_secure_link_module). */
function signedLink(host: string, name: string, secondsFromNow: number): string {
  const expires = Math.floor(Date.now() / 1000) + secondsFromNow;
  const signature = createHash("md5").update(`${expires}/${name} ${secret}`).digest("base64url");
  return `http://${host}/${name}?md5=${signature}&expires=${expires}`;
}

/** As S3 does: a request that has a signed link and an Authorization is refused. */
const strictly = [
  'if ($http_authorization) { return 400 "Only one auth mechanism allowed"; }',
  "secure_link $arg_md5,$arg_expires;",
  `secure_link_md5 "$secure_link_expires$uri ${secret}";`,
  'if ($secure_link = "") { return 403; }',
  'if ($secure_link = "0") { return 410; }',
];

/** A registry that redirects to nginx for the blob. */
async function behindNginx(lines: readonly string[], lifetimes: number[] = []) {
  const content = distinctBytes(400_000);
  const name = digestOf(content).replace("sha256:", "");
  const nginx = await startNginx(new Map([[name, content]]), lines);
  const registry = await startRegistry({
    access: { type: "basic", ...user },
    redirectBlobs: () => signedLink(nginx.host, name, lifetimes.shift() ?? 60),
  });
  const layer = registry.addBlob(content);
  return {
    ...{ content, layer, registry, name: `${registry.host}/a/b` },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await nginx[Symbol.asyncDispose]();
    },
  };
}

test("R-58: nginx as a CDN that refuses Authorization gives its blobs", { skip: skipNginx }, async () => {
  await using cdn = await behindNginx([...strictly, "gzip on; gzip_types *; gzip_min_length 0;"]);
  await using client = puller({ credentials: user });
  assert.deepEqual(await blob(client.image(cdn.name), cdn.layer), cdn.content);
});

test("R-52: a link that nginx lets expire is replaced by a fresh one from the registry", {
  skip: skipNginx,
}, async () => {
  await using cdn = await behindNginx(strictly, [-10, -10, 60]);
  await using client = puller({ credentials: user });
  assert.deepEqual(await blob(client.image(cdn.name), cdn.layer), cdn.content);
  assert.match(client.told("retrying")[0]?.reason ?? "", /answers 410 to a link that the registry gave/);
});

test("R-55: a blob that nginx lets stall every 100 kB arrives all the same", { skip: skipNginx }, async () => {
  await using cdn = await behindNginx([...strictly, "limit_rate_after 100k; limit_rate 1;"]);
  await using client = puller({ credentials: user, deadlines: { stallMilliseconds: 150 } });
  assert.deepEqual(await blob(client.image(cdn.name), cdn.layer), cdn.content);
  assert.ok(client.told("decision").some(({ message }) => /goes on at byte/.test(message)));
});

test("R-52: where nginx serves no ranges, a download that cannot get on ends with an error", {
  skip: skipNginx,
}, async () => {
  await using cdn = await behindNginx([...strictly, "max_ranges 0; limit_rate_after 100k; limit_rate 1;"]);
  await using client = puller({ credentials: user, retries: 2, deadlines: { stallMilliseconds: 150 } });
  const error = await failure(blob(client.image(cdn.name), cdn.layer));
  assert.equal(error.code, "TIMEOUT");
  assert.ok(client.told("decision").some(({ message }) => /begins again; \d+ bytes are skipped/.test(message)));
});
