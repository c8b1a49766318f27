import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { configuredHosts } from "../../src/configuration/hosts-toml.ts";
import { type MirrorOptions, mirrors } from "../../src/configuration/mirrors.ts";
import { emptyRegistriesConf } from "../../src/configuration/registries-conf.ts";
import { parseRegistriesConf } from "../../src/configuration/registries-conf-parser.ts";
import { Toml } from "../../src/configuration/toml.ts";
import type { Endpoint, EndpointQuery } from "../../src/registry/options.ts";
import { repositoryFile } from "../support/repository.ts";
import { testMachine } from "./machine.ts";

const debian: EndpointQuery = { host: "docker.io", repository: "library/debian", tag: "stable" };
const image: EndpointQuery = { host: "r.example:5000", repository: "ns/image", tag: "v1" };

/** The endpoints by files of containerd's, named beneath its directory, and a text of podman's. */
async function endpoints(
  context: TestContext,
  query: EndpointQuery,
  { hosts, conf, ...options }: { hosts?: Record<string, string>; conf?: string } & MirrorOptions,
  warnings: string[] = [],
): Promise<readonly Endpoint[]> {
  const files = Object.fromEntries(Object.entries(hosts ?? {}).map(([name, text]) => [`certs.d/${name}`, text]));
  const machine = await testMachine(context, { files });
  const endpointsFor = mirrors({
    ...options,
    ...(hosts && { hostsDirectory: machine.path("certs.d") }),
    ...(conf !== undefined && { registriesConf: parseRegistriesConf("/registries.conf", conf, emptyRegistriesConf) }),
  });
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "warning") warnings.push(event.message.replaceAll(machine.root, ""));
  };
  const found = (await endpointsFor(query, { onEvent })) ?? [];
  return found.map(({ origin, ...endpoint }) =>
    origin ? { ...endpoint, origin: origin.replace(machine.root, "") } : endpoint,
  );
}

async function urls(...input: Parameters<typeof endpoints>): Promise<string[]> {
  return (await endpoints(...input)).map((endpoint) => endpoint.baseUrl);
}

const full = { resolvesTags: true, servesDigests: true };
const certificate = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n";

test("R-71: mirrors come in the order of the file, told for which registry they stand, and the registry comes last", async (context) => {
  const toml = `
    [host."https://public.example"]
    capabilities = ["pull"]
    [host."http://10.0.0.1:5000"]
    dial_timeout = "200ms"
    [host."http://10.0.0.1:5000".header]
    Authorization = "Bearer x"`;
  const origin = "/certs.d/docker.io/hosts.toml";
  assert.deepEqual(await endpoints(context, debian, { hosts: { "docker.io/hosts.toml": toml } }), [
    { baseUrl: "https://public.example/v2", resolvesTags: false, servesDigests: true, namespace: "docker.io", origin },
    {
      baseUrl: "http://10.0.0.1:5000/v2",
      ...full,
      namespace: "docker.io",
      headers: { Authorization: ["Bearer x"] },
      connectMilliseconds: 200,
      origin,
    },
    { baseUrl: "https://registry-1.docker.io/v2", ...full, origin },
  ]);
});

test("R-71: ns is left out for the registry itself, by whichever of its names", async (context) => {
  const namespaces = async (query: EndpointQuery, name: string, server: string) =>
    (await endpoints(context, query, { hosts: { [`${name}/hosts.toml`]: `server = "${server}"` } })).map(
      ({ namespace }) => namespace,
    );
  assert.deepEqual(await namespaces(debian, "docker.io", "https://registry-1.docker.io"), [undefined]);
  assert.deepEqual(await namespaces(debian, "docker.io", "https://docker.io"), [undefined]);
  assert.deepEqual(await namespaces(debian, "docker.io", "https://m.example"), ["docker.io"]);
  assert.deepEqual(await namespaces(image, "r.example:5000", "https://R.example:5000"), [undefined]);
  assert.deepEqual(await namespaces(image, "r.example:5000", "https://r.example"), ["r.example:5000"]);
  assert.deepEqual(await namespaces({ ...image, host: "r.example:443" }, "r.example:443", "https://r.example"), [
    undefined,
  ]);
});

test("R-71: a directory is looked for as HOST_PORT_, as HOST:PORT, and as _default", async (context) => {
  const hosts: Record<string, string> = {
    "r.example_5000_/hosts.toml": 'server = "https://one.example"',
    "r.example:5000/hosts.toml": 'server = "https://two.example"',
    "_default/hosts.toml": 'server = "https://three.example"',
  };
  for (const [directory, url] of [
    ["r.example_5000_", "one"],
    ["r.example:5000", "two"],
    ["_default", "three"],
  ]) {
    assert.deepEqual(await urls(context, image, { hosts }), [`https://${url}.example/v2`]);
    delete hosts[`${directory}/hosts.toml`];
  }
  assert.deepEqual(await urls(context, image, { hosts }), ["https://r.example:5000/v2"]);
});

test("R-71: a directory without hosts.toml gives the registry its certificates", async (context) => {
  const [endpoint] = await endpoints(context, image, { hosts: { "r.example:5000/ca.crt": certificate } });
  assert.deepEqual(endpoint, {
    baseUrl: "https://r.example:5000/v2",
    ...full,
    tls: { ca: [certificate] },
    origin: "/certs.d/r.example:5000",
  });
});

test("R-71: a hosts.toml that is not TOML is a warning, and the certificates beside it count", async (context) => {
  const warnings: string[] = [];
  const hosts = { "r.example:5000/hosts.toml": "server = hush", "r.example:5000/ca.crt": certificate };
  const [endpoint] = await endpoints(context, image, { hosts }, warnings);
  assert.equal(endpoint?.baseUrl, "https://r.example:5000/v2");
  assert.deepEqual(endpoint?.tls, { ca: [certificate] });
  assert.deepEqual(warnings, ['cannot use "/certs.d/r.example:5000/hosts.toml": line 1 is not TOML']);
});

test("R-71: an unknown capability, or an authority that is not there, is an error", async (context) => {
  for (const toml of ['capabilities = ["pull", "reslove"]', 'ca = "absent.crt"']) {
    await assert.rejects(endpoints(context, image, { hosts: { "_default/hosts.toml": toml } }), (error) =>
      isOciUnpackError(error, "CONFIGURATION"),
    );
  }
});

test("R-71: skip_verify holds for its host alone", async (context) => {
  const toml = `[host."https://m.example"]\nskip_verify = true`;
  const found = await endpoints(context, image, { hosts: { "_default/hosts.toml": toml } });
  assert.deepEqual(
    found.map(({ tls }) => tls),
    [{ ca: [], insecureSkipVerify: true }, undefined],
  );
});

test("R-72: podman's mirrors have names of their own and are told no ns", async (context) => {
  const conf = `
    [[registry]]
    location = "docker.io"
    [[registry.mirror]]
    location = "m.example/hub"
    pull-from-mirror = "digest-only"`;
  const origin = "/registries.conf";
  assert.deepEqual(await endpoints(context, debian, { conf }), [
    {
      baseUrl: "https://m.example/v2",
      repository: "hub/library/debian",
      resolvesTags: false,
      servesDigests: true,
      origin,
    },
    { baseUrl: "https://registry-1.docker.io/v2", ...full, origin },
  ]);
});

test("R-72: insecure means any certificate, then http; R-7: everything else means TLS, but for loopback", async (context) => {
  const conf = `
    [[registry]]
    location = "r.example:5000"
    insecure = true
    [[registry.mirror]]
    location = "m.example"
    [[registry.mirror]]
    location = "localhost:5001"
    [[registry.mirror]]
    location = "localhost:5002"
    insecure = true`;
  const found = await endpoints(context, image, { conf });
  assert.deepEqual(
    found.map(({ baseUrl, tls }) => [baseUrl, tls?.insecureSkipVerify ?? false]),
    [
      ["https://m.example/v2", false],
      ["http://localhost:5001/v2", false],
      ["http://localhost:5002/v2", false],
      ["https://localhost:5002/v2", true],
      ["https://r.example:5000/v2", true],
      ["http://r.example:5000/v2", false],
    ],
  );
});

test("R-7: plain http for the registry is not plain http for its mirrors", async (context) => {
  const conf = `[[registry]]\nlocation = "r.example:5000"\n[[registry.mirror]]\nlocation = "m.example"`;
  assert.deepEqual(await urls(context, image, { conf, plainHttp: true }), [
    "https://m.example/v2",
    "http://r.example:5000/v2",
  ]);
  assert.deepEqual(await urls(context, image, { conf, plainHttp: ["r.example:5000"] }), [
    "https://m.example/v2",
    "http://r.example:5000/v2",
  ]);
});

test("R-71, R-72: containerd's hosts are asked for each of podman's names", async (context) => {
  const conf = `[[registry]]\nlocation = "r.example:5000"\n[[registry.mirror]]\nlocation = "m.example/x"\npull-from-mirror = "digest-only"`;
  const hosts = { "_default/hosts.toml": '[host."http://127.0.0.1:30020"]', "m.example/hosts.toml": "" };
  const found = await endpoints(context, image, { conf, hosts });
  assert.deepEqual(
    found.map(({ baseUrl, namespace, resolvesTags, repository }) => [baseUrl, namespace, resolvesTags, repository]),
    [
      ["https://m.example/v2", undefined, false, "x/ns/image"],
      ["http://127.0.0.1:30020/v2", "r.example:5000", true, undefined],
      ["https://r.example:5000/v2", undefined, true, undefined],
    ],
  );
});

test("R-71, R-72: without a word in any file, the registry itself is asked", async (context) => {
  assert.deepEqual(await endpoints(context, debian, {}), [{ baseUrl: "https://registry-1.docker.io/v2", ...full }]);
});

test("R-71, R-72: every configuration that docs/mirrors.md shows is understood, to the last key", async () => {
  const page = await readFile(repositoryFile("docs/mirrors.md"), "utf8");
  const examples = [...page.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  const warnings: string[] = [];
  for (const text of examples) {
    if (text.includes("[[registry]]")) parseRegistriesConf("/registries.conf", text);
    else configuredHosts(Toml.parse("/hosts.toml", text), "/", (message) => warnings.push(message));
  }
  assert.deepEqual(warnings, []);
  assert.equal(examples.length, 4);
});
