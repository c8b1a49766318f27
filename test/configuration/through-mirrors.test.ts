import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { registryFromEnvironment } from "../../src/configuration/environment.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { described, type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, type Fault, type RecordedRequest } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";
import { auth, type TestMachineOptions, testMachine } from "./machine.ts";

const run = promisify(execFile);
const sample = image(sampleLayers());

/** Pulls the manifest and every blob of the sample by this machine's configuration, and checks what came. */
async function pull(context: TestContext, reference: string, machineOptions: TestMachineOptions): Promise<void> {
  const machine = await testMachine(context, machineOptions);
  await using source = registrySource({ ...(await registryFromEnvironment(machine)), retries: 0 });
  const bound = source.image(reference);
  assert.equal(digestOf((await bound.manifest()).bytes), sample.manifest.descriptor.digest);
  for (const { descriptor } of [sample.config, ...sample.layers]) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bound.blob(described(descriptor))) chunks.push(Uint8Array.from(chunk));
    assert.equal(digestOf(Buffer.concat(chunks)), descriptor.digest);
  }
}

function hostsToml(host: string, text: string): Record<string, string> {
  return { [`etc/containerd/certs.d/${host}/hosts.toml`]: text };
}

/** The paths that were asked for, without queries and digests. */
function asked({ requests }: RegistryDouble): string[] {
  return requests.map(({ path }) => path.replace(/\?.*/, "").replace(/sha256:.*/, "DIGEST"));
}

const everyBlob = Array<string>(1 + sample.layers.length).fill("/v2/ns/image/blobs/DIGEST");

/** A mirror in this process that holds the sample. */
async function mirrorDouble(): Promise<RegistryDouble> {
  const mirror = await startRegistry();
  stored(mirror, "ns/image", sample);
  return mirror;
}

/** What Spegel does: it serves only what it is told the registry of. */
const asSpegel: Fault = (reply, request) =>
  new URL(request.path, "http://x").searchParams.has("ns") ? reply : answer(404)(reply, request);

test("R-71: a mirror like Spegel, which must be told the registry, serves everything", async (context) => {
  await using upstream = await startRegistry();
  await using spegel = await mirrorDouble();
  spegel.always(/./, asSpegel);
  const files = hostsToml(
    "_default",
    `[host."${spegel.url}"]\ncapabilities = ["pull", "resolve"]\ndial_timeout = "200ms"`,
  );
  await pull(context, `${upstream.host}/ns/image:latest`, { files });

  assert.deepEqual(asked(spegel), ["/v2/ns/image/manifests/latest", ...everyBlob]);
  const namespaces = spegel.requests.map(({ path }) => new URL(path, "http://x").searchParams.get("ns"));
  assert.deepEqual([...new Set(namespaces)], [upstream.host]);
  assert.deepEqual(upstream.requests, []);
});

test("R-73, security 17: a mirror that may not resolve is never asked what a tag means, and serves the content all the same", async (context) => {
  await using upstream = await mirrorDouble();
  await using mirror = await mirrorDouble();
  const files = hostsToml(upstream.host, `[host."${mirror.url}"]\ncapabilities = ["pull"]`);
  await pull(context, `${upstream.host}/ns/image:latest`, { files });
  assert.deepEqual(asked(upstream), ["/v2/ns/image/manifests/latest"]);
  assert.deepEqual(asked(mirror), everyBlob);
});

test("R-73: a mirror that lacks the image, fails or is gone is passed over", async (context) => {
  await using upstream = await mirrorDouble();
  await using lacking = await startRegistry();
  await using failing = await startRegistry();
  failing.always(/./, answer(503));
  await using refusing = await startRegistry({ access: { type: "basic", username: "u", password: "p" } });
  const gone = await startRegistry();
  await gone[Symbol.asyncDispose]();
  const mirrors = [lacking, failing, refusing, gone].map(({ url }) => `[host."${url}"]`);
  await pull(context, `${upstream.host}/ns/image:latest`, { files: hostsToml("_default", mirrors.join("\n")) });
  assert.deepEqual(asked(upstream), ["/v2/ns/image/manifests/latest", ...everyBlob]);
});

test("R-73: the registry's login is never shown to a mirror, and a mirror's login only to that mirror", async (context) => {
  const authorizations = (requests: readonly RecordedRequest[]) => requests.map(({ headers }) => headers.authorization);
  await using upstream = await startRegistry({ access: { type: "basic", username: "up", password: "u" } });
  stored(upstream, "ns/image", sample);
  await using curious = await startRegistry({ access: { type: "basic", username: "up", password: "u" } });
  await using own = await startRegistry({ access: { type: "basic", username: "own", password: "o" } });
  const files = {
    ...hostsToml("_default", `[host."${curious.url}"]\n[host."${own.url}"]`),
    "home/.docker/config.json": { auths: { [upstream.host]: auth("up", "u"), [own.host]: auth("own", "o") } },
  };
  await pull(context, `${upstream.host}/ns/image:latest`, { files });
  const only = (username: string, password: string) => new Set([undefined, `Basic ${auth(username, password).auth}`]);
  assert.deepEqual(new Set(authorizations(curious.requests)), new Set([undefined]));
  assert.deepEqual(new Set(authorizations(own.requests)), only("own", "o"));
  assert.deepEqual(new Set(authorizations(upstream.requests)), only("up", "u"));
});

test("R-71: a mirror's headers go to that mirror and nowhere else", async (context) => {
  await using upstream = await mirrorDouble();
  await using mirror = await startRegistry();
  const text = `[host."${mirror.url}"]\n[host."${mirror.url}".header]\nX-Dragonfly-Registry = "https://x.example"`;
  await pull(context, `${upstream.host}/ns/image:latest`, { files: hostsToml("_default", text) });
  const seen = (double: RegistryDouble) =>
    new Set(double.requests.map(({ headers }) => headers["x-dragonfly-registry"]));
  assert.deepEqual(seen(mirror), new Set(["https://x.example"]));
  assert.deepEqual(seen(upstream), new Set([undefined]));
});

test("R-75: docker's HttpHeaders go to the registry, and not to its mirrors or where it redirects", async (context) => {
  await using mirror = await startRegistry();
  await using cdn = await mirrorDouble();
  await using upstream = await startRegistry({
    redirectBlobs: (_, { path }) => `${cdn.url.replace("127.0.0.1", "localhost")}${path}`,
  });
  stored(upstream, "ns/image", sample);
  const files = {
    ...hostsToml("_default", `[host."${mirror.url}"]`),
    "home/.docker/config.json": { HttpHeaders: { "X-Meta": "mine" } },
  };
  await pull(context, `${upstream.host}/ns/image:latest`, { files });
  const seen = (double: RegistryDouble) => new Set(double.requests.map(({ headers }) => headers["x-meta"]));
  assert.deepEqual(seen(upstream), new Set(["mine"]));
  assert.deepEqual(seen(mirror), new Set([undefined]));
  assert.deepEqual(seen(cdn), new Set([undefined]));
  assert.notEqual(cdn.requests.length, 0);
});

test("R-72: a location moves the repository, and its mirror is asked for the moved name", async (context) => {
  await using moved = await startRegistry();
  stored(moved, "cache/image", sample);
  const conf = `[[registry]]\nprefix = "r.example/ns"\nlocation = "${moved.host}/nowhere"\n[[registry.mirror]]\nlocation = "${moved.host}/cache"`;
  await pull(context, "r.example/ns/image:latest", { files: { "etc/containers/registries.conf": conf } });
  assert.ok(moved.requests.every(({ path }) => path.startsWith("/v2/cache/image/") && !path.includes("ns=")));
});

test("R-72: an insecure registry is spoken to without TLS only where it has none", async (context) => {
  await using upstream = await mirrorDouble();
  const files = { "etc/containers/registries.conf": `[[registry]]\nlocation = "${upstream.host}"\ninsecure = true` };
  await pull(context, `${upstream.host}/ns/image:latest`, { files });
  assert.notEqual(upstream.requests.length, 0);
});

/** Puts the sample into a docker-registry as `ns/image:latest`, by skopeo. */
async function fill({ host }: DockerRegistry, directory: string): Promise<void> {
  await writeImageLayout(directory, [{ tag: "latest", images: [sample] }]);
  const [from, to] = [`oci:${directory}:latest`, `docker://${host}/ns/image:latest`];
  await run("skopeo", ["copy", "-q", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false", from, to]);
}

/** A cache answers before it has stored what it answers with. */
async function storedBy(storage: string): Promise<void> {
  const repository = join(storage, "docker/registry/v2/repositories/ns/image/_layers");
  for (const { descriptor } of [sample.config, ...sample.layers]) {
    const link = join(repository, descriptor.digest.replace(":", "/"), "link");
    while (!existsSync(link)) await sleep(5);
  }
}

/** Pulls through a cache that `files` lead to, then without the registry. */
async function pullThroughCache(
  context: TestContext,
  files: (origin: string, cache: string) => Record<string, string>,
) {
  await using directory = await scratch();
  const storage = join(directory.directory, "cache");
  await using origin = await dockerRegistry();
  await using cache = await dockerRegistry({ cacheOf: `http://${origin.host}`, storage });
  await fill(origin, join(directory.directory, "layout"));

  const machineOptions = { files: files(origin.host, cache.host) };
  await pull(context, `${origin.host}/ns/image:latest`, machineOptions);
  await storedBy(storage);
  await origin.kill();
  await pull(context, `${origin.host}/ns/image@${sample.manifest.descriptor.digest}`, machineOptions);
}

const counterparts = { skip: skipWithout("skopeo", "docker-registry"), timeout: 120_000 };

test("R-71: a pull-through cache named in hosts.toml serves on when the registry is gone", counterparts, (context) =>
  pullThroughCache(context, (origin, cache) => hostsToml(origin, `[host."http://${cache}"]`)),
);

test(
  "R-72: a pull-through cache named in registries.conf serves on when the registry is gone",
  counterparts,
  (context) =>
    pullThroughCache(context, (origin, cache) => ({
      "etc/containers/registries.conf": `[[registry]]\nlocation = "${origin}"\n[[registry.mirror]]\nlocation = "${cache}"\ninsecure = true`,
    })),
);
