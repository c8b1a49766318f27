import assert from "node:assert/strict";
import { test } from "node:test";
import { zoneOf } from "../../src/http/address.ts";
import { admittedLookup, Policy } from "../../src/http/policy.ts";
import { registrableDomain } from "../../src/http/registrable-domain.ts";
import { authority } from "../support/certificates.ts";
import { described, startRegistry } from "../support/registry-double.ts";
import { answer, stating } from "../support/registry-reply.ts";
import { skipWithout } from "../support/tools.ts";
import { blob, failure, oneImage, puller } from "./pulling.ts";

const user = { username: "alice", password: "correct horse" };

test("R-7: loopback registries speak http, all others https unless the user says so", async () => {
  await using one = await oneImage();
  await using client = puller();
  await client.image(one.name).manifest();
  await client.image(`localhost:${one.registry.host.split(":")[1]}/a/b`).manifest();
  for (const [plainHttp, host] of [
    [undefined, "10.255.255.1"],
    [undefined, "registry.test:80"],
    [["other.test"], "registry.test"],
  ] as const) {
    const seen: string[] = [];
    await using remote = puller({
      ...(plainHttp && { plainHttp }),
      proxy: (url) => {
        seen.push(url.protocol);
        throw new Error("far enough");
      },
    });
    await assert.rejects(remote.image(`${host}/a/b`).manifest(), /far enough/);
    assert.deepEqual(seen, ["https:"]);
  }
  for (const plainHttp of [true, ["registry.test"]]) {
    const seen: string[] = [];
    await using remote = puller({
      plainHttp,
      proxy: (url) => {
        seen.push(url.protocol);
        throw new Error("far enough");
      },
    });
    await assert.rejects(remote.image("registry.test/a/b").manifest(), /far enough/);
    assert.deepEqual(seen, ["http:"]);
  }
});

test("an address is public only if it is in no special network, however it is written", () => {
  const zones = {
    loopback: [
      "127.0.0.1",
      "127.255.0.9",
      "0.0.0.0",
      "::1",
      "::",
      "::ffff:127.0.0.1",
      "64:ff9b::7f00:1",
      "::127.0.0.1",
      "::ffff:0:127.0.0.1",
      "64:ff9b:1::7f00:1",
      "64:ff9b:1:7f00:0:100::",
      "64:ff9b:1:ab7f:0:1::",
      "64:ff9b:1:abcd:7f:0:100::",
      "2001:0:808:808::80ff:fffe",
    ],
    "link-local": [
      "169.254.169.254",
      "fe80::1",
      "fe80::1%eth0",
      "::ffff:169.254.169.254",
      "2002:a9fe:a9fe::1",
      "64:ff9b:1::a9fe:a9fe",
      "168.63.129.16",
      "::ffff:168.63.129.16",
      "100.100.100.200",
      "192.0.0.192",
      "fd00:ec2::254",
      "fd20:ce::254",
    ],
    private: [
      "10.0.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "100.64.0.1",
      "fd12::1",
      "::ffff:10.0.0.1",
      "64:ff9b:1::808:808",
      "::8.8.8.8",
      "2001:0:808:808::f7f7:f7f7",
      "224.0.0.1",
    ],
    public: [
      "1.1.1.1",
      "172.32.0.1",
      "2606:4700::1111",
      "::ffff:8.8.8.8",
      "64:ff9b::808:808",
      "2002:808:808::1",
      "100.128.0.1",
      "168.63.129.17",
    ],
  };
  for (const [zone, addresses] of Object.entries(zones)) {
    for (const address of addresses) assert.equal(zoneOf(address), zone, address);
  }
});

// The IANA special-purpose address registries for IPv4 and IPv6, whole, as of 2025: the first and the last address of each
// block, its name, and whether the registry calls it globally reachable. What it says nothing of ("N/A") is false here.
const registries: readonly (readonly [first: string, last: string, name: string, isReachable: boolean])[] = [
  ["0.0.0.0", "0.255.255.255", "this network", false],
  ["10.0.0.0", "10.255.255.255", "private use", false],
  ["100.64.0.0", "100.127.255.255", "shared address space", false],
  ["127.0.0.0", "127.255.255.255", "loopback", false],
  ["169.254.0.0", "169.254.255.255", "link local", false],
  ["172.16.0.0", "172.31.255.255", "private use", false],
  ["192.0.0.0", "192.0.0.7", "IPv4 service continuity prefix", false],
  ["192.0.0.8", "192.0.0.8", "IPv4 dummy address", false],
  ["192.0.0.9", "192.0.0.9", "port control protocol anycast", true],
  ["192.0.0.10", "192.0.0.10", "TURN anycast", true],
  ["192.0.0.11", "192.0.0.169", "IETF protocol assignments", false],
  ["192.0.0.170", "192.0.0.171", "NAT64/DNS64 discovery", false],
  ["192.0.0.172", "192.0.0.255", "IETF protocol assignments", false],
  ["192.0.2.0", "192.0.2.255", "documentation (TEST-NET-1)", false],
  ["192.31.196.0", "192.31.196.255", "AS112-v4", true],
  ["192.52.193.0", "192.52.193.255", "AMT", true],
  ["192.88.99.0", "192.88.99.255", "deprecated (6to4 relay anycast)", false],
  ["192.168.0.0", "192.168.255.255", "private use", false],
  ["192.175.48.0", "192.175.48.255", "direct delegation AS112 service", true],
  ["198.18.0.0", "198.19.255.255", "benchmarking", false],
  ["198.51.100.0", "198.51.100.255", "documentation (TEST-NET-2)", false],
  ["203.0.113.0", "203.0.113.255", "documentation (TEST-NET-3)", false],
  ["240.0.0.0", "255.255.255.254", "reserved", false],
  ["255.255.255.255", "255.255.255.255", "limited broadcast", false],
  ["::1", "::1", "loopback address", false],
  ["::", "::", "unspecified address", false],
  ["::ffff:0.0.0.0", "::ffff:127.255.255.255", "IPv4-mapped address", false],
  ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "IPv4-IPv6 translation of a site", false],
  ["100::", "100::ffff:ffff:ffff:ffff", "discard-only address block", false],
  ["100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", "dummy IPv6 prefix", false],
  ["2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "TEREDO", false],
  ["2001:1::", "2001:1::", "IETF protocol assignments", false],
  ["2001:1::1", "2001:1::1", "port control protocol anycast", true],
  ["2001:1::2", "2001:1::2", "TURN anycast", true],
  ["2001:1::3", "2001:1::3", "DNS-SD SRP anycast", true],
  ["2001:1::4", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "IETF protocol assignments", false],
  ["2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking", false],
  ["2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "AMT", true],
  ["2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", "AS112-v6", true],
  ["2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "deprecated (ORCHID)", false],
  ["2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "ORCHIDv2", true],
  ["2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "drone remote ID", true],
  ["2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "IETF protocol assignments", false],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", false],
  ["2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "direct delegation AS112 service", true],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", false],
  ["5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "segment routing (SRv6) SIDs", false],
  ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique local", false],
  ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local unicast", false],
  // Not in these registries, but no unicast addresses that anybody has: multicast, site-local, and what nobody is given.
  ["224.0.0.0", "239.255.255.255", "multicast", false],
  ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast", false],
  ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local, deprecated", false],
  ["4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unallocated", false],
];

test("an address is public as far as the IANA special-purpose registries call it globally reachable", () => {
  for (const [first, last, name, isReachable] of registries) {
    for (const address of [first, last]) assert.equal(zoneOf(address) === "public", isReachable, `${address}: ${name}`);
  }
});

test("what a registry names may be no nearer than the registry itself", () => {
  const policy = new Policy();
  const reachable = (registry: string | undefined) =>
    ["8.8.8.8", "10.0.0.1", "169.254.169.254", "127.0.0.1"].filter((address) => {
      try {
        policy.referred(registry).admit("elsewhere.test", address);
        return true;
      } catch {
        return false;
      }
    });
  assert.deepEqual(reachable("1.1.1.1"), ["8.8.8.8"]);
  assert.deepEqual(reachable(undefined), ["8.8.8.8"], "behind a proxy nobody knows where the registry is");
  assert.deepEqual(reachable("192.168.0.1"), ["8.8.8.8", "10.0.0.1"]);
  assert.deepEqual(reachable("127.0.0.1"), ["8.8.8.8", "10.0.0.1", "127.0.0.1"]);
  assert.deepEqual(reachable("169.254.0.9"), ["8.8.8.8", "169.254.169.254"]);
  assert.deepEqual(reachable("64:ff9b:1:7f00:0:100:808:808"), ["8.8.8.8"], "which may be 8.8.8.8, and not 127.0.0.1");
});

test("what the user allows may lie anywhere: by host, host and port, suffix or network", () => {
  const policy = new Policy({ allowHosts: ["auth.test", "cdn.test:8443", "*.corp.test", "10.1.0.0/16"] });
  const reach = policy.referred("1.1.1.1");
  for (const host of ["auth.test", "auth.test:5000", "cdn.test:8443", "a.corp.test"]) reach.admit(host, "127.0.0.1");
  reach.admit("other.test", "10.1.2.3");
  for (const host of ["cdn.test", "corp.test", "xauth.test"]) {
    assert.throws(() => reach.admit(host, "127.0.0.1"), { code: "POLICY_DENIED" });
  }
  assert.throws(() => reach.admit("other.test", "10.2.0.1"), { code: "POLICY_DENIED" });
  const ofIPv6 = new Policy({ allowHosts: ["::/0"] }).referred("1.1.1.1");
  ofIPv6.admit("other.test", "fd00::1");
  assert.throws(() => ofIPv6.admit("other.test", "10.2.0.1"), { code: "POLICY_DENIED" });
  assert.throws(() => new Policy({ allowHosts: ["10.0.0.0/99"] }), { code: "INVALID_OPTION" });
  for (const host of ["foo:bar:baz", "", "a b", "https:", "::1", "host:port"]) {
    assert.throws(() => new Policy({ allowHosts: [host] }), {
      code: "INVALID_OPTION",
      message: `cannot allow "${host}": it is not a host`,
    });
  }
  for (const host of ["Registry.example", "127.0.0.1:5000", "*.corp.test", "[::1]:5000"])
    new Policy({ allowHosts: [host] });
});

test("security 2: credentials go to a registry's own host, its domain, its known token server, or where the user allows", async () => {
  const trusts = (registry: string, realm: string, allowHosts: string[] = []) =>
    new Policy({ allowHosts }).trusts(new URL(realm), new URL(registry));
  assert.ok(await trusts("https://ghcr.io", "https://ghcr.io/token"));
  assert.ok(await trusts("https://registry.test:5000", "https://registry.test/token"), "any port of it");
  assert.ok(await trusts("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"));
  assert.ok(await trusts("https://registry-1.docker.io", "https://auth.docker.io/token"));
  assert.ok(
    await trusts("https://registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth"),
  );
  assert.ok(await trusts("https://registry.acme.co.uk", "https://auth.acme.co.uk/token"));
  assert.ok(!(await trusts("https://registry.acme.co.uk", "https://evil.co.uk/token")));
  assert.ok(!(await trusts("https://mine.azurecr.io", "https://yours.azurecr.io/token")));
  assert.ok(!(await trusts("https://registry.test", "https://evil.example/token")));
  assert.ok(!(await trusts("https://registry.test", "http://registry.test/token")), "and never without TLS");
  assert.ok(!(await trusts("https://10.0.0.1", "https://10.0.0.2/token")));
  assert.ok(await trusts("https://registry.test", "https://login.example/token", ["login.example"]));
});

test("hosts belong together only beneath a name that somebody registered", async () => {
  const domains = {
    "a.b.example.com": "example.com",
    "Registry.Example.COM.": "example.com",
    "registry.example.com.au": "example.com.au",
    "registry.corp.internal": "corp.internal",
    "registry.mine.id.au": "mine.id.au",
    "registry.mine.me.uk": "mine.me.uk",
    "registry.mine.eu.org": "mine.eu.org",
    "mine.westeurope.azurecontainer.io": "mine.westeurope.azurecontainer.io",
    "mine.ondigitalocean.app": "mine.ondigitalocean.app",
  };
  for (const [host, domain] of Object.entries(domains)) assert.equal(await registrableDomain(host), domain, host);
  for (const host of ["co.uk", "com", "github.io", "localhost", "127.0.0.1", "[::1]"]) {
    assert.equal(await registrableDomain(host), undefined, host);
  }
});

test("customers of one provider are strangers, whether or not the Public Suffix List knows it", async () => {
  for (const provider of [
    ...["me.uk", "id.au", "eu.org", "co.com", "azurecontainer.io", "ondigitalocean.app", "github.io", "run.app"],
    ...["azurecr.io", "jfrog.io", "pkg.dev", "nip.io", "s3.eu-west-1.amazonaws.com", "svc.cluster.local"],
  ]) {
    const [registry, realm] = [`https://mine.${provider}`, `https://yours.${provider}/token`];
    assert.ok(!(await new Policy().trusts(new URL(realm), new URL(registry))), provider);
  }
});

test("security 2: a token server that does not belong to the registry never sees the password (CVE-2026-48978)", async () => {
  await using stranger = await startRegistry({ address: "127.0.0.2", access: { type: "token" } });
  await using one = await oneImage({ access: { type: "token", ...user, realm: `${stranger.url}/token` } });
  await using client = puller({ credentials: user });
  const error = await failure(client.image(one.name).manifest());
  assert.equal(error.code, "POLICY_DENIED");
  assert.match(error.message, /wants its credentials sent to 127\.0\.0\.2:\d+, which is not known to belong to it$/);
  assert.match(error.hint ?? "", /allowHosts/);
  assert.deepEqual(
    stranger.requests.map(({ headers, path }) => [headers.authorization, /account/.test(path)]),
    [[undefined, false]],
  );
});

test("a token server that the user allows is trusted", async () => {
  await using stranger = await startRegistry({ address: "127.0.0.2", access: { type: "token", ...user } });
  await using one = await oneImage({ access: { type: "token", ...user, realm: `${stranger.url}/token` } });
  await using client = puller({ credentials: user, network: { allowHosts: [stranger.host] } });
  await failure(client.image(one.name).manifest()); // its tokens mean nothing to the registry
  assert.ok(stranger.requests.some(({ headers }) => headers.authorization?.startsWith("Basic ")));
});

test("security 3: the address that is connected to counts, not the name: a name for a private address is refused", async () => {
  const port = (host: string) => host.split(":")[1];
  await using inner = await startRegistry({ access: { type: "token" } });
  for (const realm of [`http://127.0.0.1:${port(inner.host)}/token`, `http://localhost:${port(inner.host)}/token`]) {
    await using one = await oneImage({ address: "127.0.0.2", access: { type: "token", realm } });
    await using client = puller({ network: { denyPrivate: true, allowHosts: [one.registry.host] } });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "POLICY_DENIED", realm);
    assert.match(error.message, /a loopback address$/);
  }
  assert.equal(inner.requests.length, 0);
});

test("security 3: a name that has another address by the next connection is judged by that one", async () => {
  const answers = ["8.8.8.8", "127.0.0.1"];
  const find = admittedLookup(new Policy().referred("1.1.1.1"), "rebound.test", (_name, _options, callback) =>
    callback(null, [{ address: answers.shift() ?? "", family: 4 }]),
  );
  const addressGiven = () =>
    new Promise((found, refused) => {
      find("rebound.test", {}, (error, address) => (error === null ? found(address) : refused(error)));
    });
  assert.equal(await addressGiven(), "8.8.8.8");
  await assert.rejects(addressGiven(), { code: "POLICY_DENIED" });
});

test("security 11: a Link header leads nowhere", async () => {
  await using other = await startRegistry();
  await using one = await oneImage();
  one.registry.always(/./, stating({ link: `<${other.url}/v2/>; rel="next", </v2/a/b/tags/list?last=x>; rel="next"` }));
  await using client = puller();
  await client.image(one.name).manifest();
  await blob(client.image(one.name), one.layer);
  assert.equal(other.requests.length, 0);
  assert.equal(one.registry.requests.length, 2);
});

test("denyPrivate holds for the registry, for redirects and for mirrors, by name and by address", async () => {
  await using inner = await startRegistry();
  await using one = await oneImage({ address: "127.0.0.2", redirectBlobs: () => `${inner.url}/cdn/x` });
  await using strict = puller({ network: { denyPrivate: true } });
  for (const name of [one.name, one.name.replace("127.0.0.2", "localhost")]) {
    assert.equal((await failure(strict.image(name).manifest())).code, "POLICY_DENIED");
  }
  await using allowed = puller({ network: { denyPrivate: true, allowHosts: ["127.0.0.2"] } });
  await allowed.image(one.name).manifest();
  assert.equal((await failure(blob(allowed.image(one.name), one.layer))).code, "POLICY_DENIED");
  assert.equal(inner.requests.length, 0);
  await using mirrored = puller({
    network: { denyPrivate: true },
    endpoints: async () => [{ baseUrl: `${inner.url}/v2`, resolvesTags: true, servesDigests: true }],
  });
  assert.equal((await failure(mirrored.image("registry.test/a/b").manifest())).code, "POLICY_DENIED");
});

test("a kept connection to a host that may be reached is not lent to a request that may not reach it", {
  skip: skipWithout("openssl"),
}, async () => {
  const own = await authority();
  const trusted = { ca: [own.cert] };
  await using one = await oneImage({ address: "localhost", tls: await own.issue({ names: "DNS:localhost" }) });
  await using client = puller({ tls: async () => trusted, foreignLayers: true });
  const image = client.image(one.name);
  await image.manifest(); // from here on a connection to localhost is kept, since the user named it
  const urls = [`${one.registry.url}/cdn/${one.layer.digest}`];
  one.registry.always(/\/blobs\//, answer(404));
  const blobs = image.blob({ ...described(one.layer), urls })[Symbol.asyncIterator]();
  const error = await failure(blobs.next());
  assert.equal(error.code, "POLICY_DENIED");
  assert.deepEqual(
    one.registry.requests.filter(({ path }) => path.startsWith("/cdn/")),
    [],
  );
});

test("security 6: a redirect or a token server never leads from https to http", {
  skip: skipWithout("openssl"),
}, async () => {
  const own = await authority();
  const tls = await own.issue();
  await using plain = await startRegistry();
  await using redirecting = await oneImage({ tls, redirectBlobs: (digest) => `${plain.url}/cdn/${digest}` });
  plain.addBlob(redirecting.content);
  await using client = puller({ tls: { ca: [own.cert] } });
  const error = await failure(blob(client.image(redirecting.name), redirecting.layer));
  assert.equal(error.code, "POLICY_DENIED");
  assert.match(error.message, /over http, away from https$/);
  await using asking = await oneImage({ tls, access: { type: "token", ...user, realm: `${plain.url}/token` } });
  assert.equal((await failure(client.image(asking.name).manifest())).code, "POLICY_DENIED");
  assert.equal(plain.requests.length, 0);
});

test("security 12: a realm that readers could understand in two ways is not used", async () => {
  for (const realm of [
    "http://127.0.0.1\\\\@127.0.0.2/token",
    "http://user@127.0.0.1/token",
    "http://127.0.0.1/\ttoken",
    "file:///etc/passwd",
  ]) {
    await using one = await oneImage();
    one.registry.always(/manifests/, answer(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }));
    await using client = puller({ credentials: user });
    const error = await failure(client.image(one.name).manifest());
    assert.equal(error.code, "UNAUTHORIZED", realm);
    assert.equal(client.told("authenticate").length, 0);
  }
});

test("R-42, security 1: foreign layers are fetched only where that is allowed, by https, and without credentials", {
  skip: skipWithout("openssl"),
}, async () => {
  const own = await authority();
  await using vendor = await startRegistry({ address: "127.0.0.2", tls: await own.issue({ names: "IP:127.0.0.2" }) });
  await using one = await oneImage({ access: { type: "basic", ...user } });
  const foreign = vendor.addBlob("a layer that may not be distributed");
  const descriptor = { mediaType: foreign.mediaType, digest: foreign.digest, sizeBytes: foreign.size };
  const pull = async (urls: string[], foreignLayers: boolean) => {
    const network = { allowHosts: [vendor.host] };
    await using client = puller({
      credentials: user,
      foreignLayers,
      tls: { ca: [own.cert] },
      plainHttp: [one.registry.host],
      network,
    });
    const bytes: Uint8Array[] = [];
    for await (const chunk of client.image(one.name).blob({ ...descriptor, urls })) bytes.push(chunk);
    return Buffer.concat(bytes).toString();
  };
  const url = `${vendor.url}/cdn/${foreign.digest}`;
  assert.equal((await failure(pull([url], false))).code, "NOT_FOUND");
  assert.equal(vendor.requests.length, 0);
  assert.equal(await pull([url], true), "a layer that may not be distributed");
  assert.equal(vendor.requests[0]?.headers.authorization, undefined);
  assert.equal((await failure(pull([url.replace("https", "http")], true))).code, "POLICY_DENIED");
});
