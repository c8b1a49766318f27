import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { type EnvironmentOptions, registryFromEnvironment } from "../../src/configuration/environment.ts";
import type { Credentials, Endpoint } from "../../src/registry/options.ts";
import { auth, type TestMachineOptions, testMachine } from "./machine.ts";

const image = { host: "r.example", repository: "ns/image", tag: "v1" };
const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const key = "-----BEGIN PRIVATE KEY-----\nK\n-----END PRIVATE KEY-----\n";
const mirrored = (location: string) =>
  `[[registry]]\nlocation = "r.example"\n[[registry.mirror]]\nlocation = "${location}"\n`;

type Said = Partial<Record<"tlsCa" | "tlsCert" | "tlsKey", string>> &
  Omit<Partial<EnvironmentOptions>, "tlsCa" | "tlsCert" | "tlsKey">;

/** Paths said are beneath the machine's directory. */
async function options(context: TestContext, machineOptions: TestMachineOptions, said: Said = {}) {
  const machine = await testMachine(context, machineOptions);
  const { tlsCa, tlsCert, tlsKey, ...others } = said;
  return registryFromEnvironment({
    ...machine,
    ...others,
    tlsCa: tlsCa === undefined ? undefined : [machine.path(tlsCa)],
    tlsCert: tlsCert && machine.path(tlsCert),
    tlsKey: tlsKey && machine.path(tlsKey),
  });
}

async function endpoints(
  context: TestContext,
  machineOptions: TestMachineOptions,
  said: Said = {},
): Promise<readonly Endpoint[]> {
  const { endpoints } = await options(context, machineOptions, said);
  return (await endpoints?.(image)) ?? [];
}

/** The host of the mirror that wins. */
async function mirror(context: TestContext, machineOptions: TestMachineOptions): Promise<string | undefined> {
  const [first] = await endpoints(context, machineOptions);
  return first && new URL(first.baseUrl).host;
}

test("R-72: the user's registries.conf stands instead of the system's and its drop-ins", async (context) => {
  const files: Record<string, string> = { "etc/containers/registries.conf": mirrored("system.example") };
  assert.equal(await mirror(context, { files }), "system.example");
  files["etc/containers/registries.conf.d/10-b.conf"] = mirrored("b.example");
  files["etc/containers/registries.conf.d/09-a.conf"] = mirrored("a.example");
  files["etc/containers/registries.conf.d/99-not-conf.txt"] = mirrored("no.example");
  assert.equal(await mirror(context, { files }), "b.example");
  files["home/.config/containers/registries.conf.d/00-user.conf"] = mirrored("users-drop-in.example");
  assert.equal(await mirror(context, { files }), "users-drop-in.example");
  files["home/.config/containers/registries.conf"] = mirrored("user.example");
  assert.equal(await mirror(context, { files }), "users-drop-in.example");
  delete files["home/.config/containers/registries.conf.d/00-user.conf"];
  assert.equal(await mirror(context, { files }), "user.example");
});

test("R-72: $CONTAINERS_REGISTRIES_CONF stands instead of either main file, and must be there", async (context) => {
  const env = { CONTAINERS_REGISTRIES_CONF: "@/my.conf" };
  const files = {
    "etc/containers/registries.conf": mirrored("system.example"),
    "home/.config/containers/registries.conf": mirrored("user.example"),
  };
  assert.equal(
    await mirror(context, { env, files: { ...files, "my.conf": mirrored("mine.example") } }),
    "mine.example",
  );
  await assert.rejects(mirror(context, { env, files }), (error) => isOciUnpackError(error, "CONFIGURATION"));
});

test("R-72: a registries.conf with a mistake stops everything: it might have blocked what is asked for", async (context) => {
  await assert.rejects(
    options(context, { files: { "etc/containers/registries.conf": "hush" } }),
    (error) => isOciUnpackError(error, "CONFIGURATION") && /registries\.conf": line 1 is not TOML$/.test(error.message),
  );
});

test("R-71: containerd's directory is read where it lies by default, or where the user says", async (context) => {
  const files = { "etc/containerd/certs.d/_default/hosts.toml": '[host."https://m.example"]' };
  assert.equal(await mirror(context, { files }), "m.example");
  const empty = (await testMachine(context)).root;
  const [first] = await endpoints(context, { files }, { hostsDirectory: empty });
  assert.equal(first?.baseUrl, "https://r.example/v2");
});

test("R-71, R-24: a directory of hosts or a file of logins that somebody names must be there, whatever is asked for", async (context) => {
  const { root } = await testMachine(context, { files: { file: "" } });
  for (const named of [
    { hostsDirectory: `${root}/nowhere` },
    { hostsDirectory: `${root}/file` },
    { authFile: `${root}/nowhere` },
  ]) {
    const [path = ""] = Object.values(named);
    await assert.rejects(
      options(context, {}, named),
      (error) => isOciUnpackError(error, "CONFIGURATION") && error.message.includes(`"${path}"`),
      path,
    );
  }
});

test("R-72: a short name is Docker Hub's unless the user wants podman's aliases", async (context) => {
  const files = {
    "etc/containers/registries.conf": `
      unqualified-search-registries = ["a.example"]
      [aliases]
      fedora = "registry.example/fedora"`,
  };
  const { expandName: docker } = await options(context, { files });
  assert.equal(docker, undefined);
  const { expandName: podman } = await options(context, { files }, { shortNames: "podman" });
  const digest = `@sha256:${"0".repeat(64)}`;
  const names = [
    "fedora",
    "fedora:40",
    `fedora${digest}`,
    "debian",
    "r.example/fedora",
    "localhost/fedora",
    "a/fedora",
  ];
  assert.deepEqual(
    names.map((name) => podman?.(name)),
    ["registry.example/fedora", "registry.example/fedora:40", `registry.example/fedora${digest}`, ...names.slice(3)],
  );
});

test("R-72, security 18: where podman insists on clarity, a short name that may be anyone's is refused and nothing is searched", async (context) => {
  const conf = (registries: string) => `short-name-mode = "enforcing"\nunqualified-search-registries = ${registries}`;
  const expand = async (registries: string) => {
    const files = { "etc/containers/registries.conf": conf(registries) };
    return (await options(context, { files }, { shortNames: "podman" })).expandName;
  };
  const ambiguous = await expand('["docker.io", "a.example"]');
  assert.throws(
    () => ambiguous?.("debian"),
    (error) => isOciUnpackError(error, "INVALID_REFERENCE"),
  );
  assert.equal(ambiguous?.("a.example/debian"), "a.example/debian");
  assert.equal((await expand('["docker.io"]'))?.("debian"), "debian");
});

test("R-75: docker's HttpHeaders are kept for the registry, but for those that are not theirs to set", async (context) => {
  const warnings: string[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "warning") warnings.push(event.message.replace(/"[^"]*config\.json"/, "FILE"));
  };
  const HttpHeaders = {
    "X-Meta": "a",
    "User-Agent": "Docker-Client/19.03",
    Authorization: "Bearer hush",
    Host: "evil.example",
    "X-Bad": "a\r\nX-Evil: hush",
    "X-Number": 7,
  };
  const { headers } = await options(context, { files: { "home/.docker/config.json": { HttpHeaders } } }, { onEvent });
  assert.deepEqual(headers, { "X-Meta": "a" });
  assert.deepEqual(
    warnings,
    ["Authorization", "Host", "X-Bad", "X-Number"].map(
      (name) => `cannot use FILE: line 1: HttpHeaders["${name}"] cannot be sent to every registry`,
    ),
  );
});

test("R-70: what the user says of TLS adds to what certs.d says", async (context) => {
  const files = { "etc/docker/certs.d/r.example/ca.crt": pem("file"), "said.pem": pem("said") };
  const { tls } = await options(context, { files }, { tlsCa: "said.pem", insecureSkipTlsVerify: true });
  assert.ok(typeof tls === "function");
  assert.deepEqual(await tls("r.example"), { ca: [pem("said"), pem("file")], insecureSkipVerify: true });
  assert.deepEqual(await tls("other.example"), { ca: [pem("said")], insecureSkipVerify: true });
});

test("R-70: a client certificate on the command line is for the registry, not for its mirrors", async (context) => {
  const files = {
    "etc/containerd/certs.d/r.example/hosts.toml": '[host."https://m.example"]',
    "client.pem": pem("client") + key,
  };
  const [first, last] = await endpoints(context, { files }, { tlsCert: "client.pem" });
  assert.equal(first?.tls, undefined);
  assert.deepEqual(last?.tls, { ca: [], cert: pem("client") + key, key: pem("client") + key });
  await assert.rejects(options(context, { files }, { tlsKey: "client.pem" }), (error) =>
    isOciUnpackError(error, "INVALID_OPTION"),
  );
});

test("R-70: the system's authorities are those of the first bundle that there is, or what SSL_CERT_* name", async (context) => {
  const files = {
    "etc/pki/tls/certs/ca-bundle.crt": pem("fedora"),
    "etc/ssl/cert.pem": pem("alpine"),
    "named.pem": pem("named"),
    "many/1.pem": pem("one"),
    "many/2.crt": pem("two"),
    "many/README": pem("no certificate by its name"),
  };
  const authorities = async (env: Readonly<Record<string, string>>) =>
    await (await options(context, { files, env })).furtherAuthorities?.();
  assert.deepEqual(await authorities({}), [pem("fedora")]);
  assert.deepEqual(await authorities({ SSL_CERT_FILE: "@/named.pem" }), [pem("named")]);
  assert.deepEqual(await authorities({ SSL_CERT_DIR: "@/many" }), [pem("one"), pem("two")]);
  assert.deepEqual(await authorities({ SSL_CERT_FILE: "@/absent", SSL_CERT_DIR: "@/absent" }), []);
});

test("R-70: connections to one host share what is known of its certificates", async (context) => {
  const files = {
    "etc/docker/certs.d/r.example/ca.crt": pem("file"),
    "etc/containerd/certs.d/_default/hosts.toml": "skip_verify = true",
  };
  const { endpoints, tls } = await options(context, { files });
  assert.ok(typeof tls === "function" && endpoints !== undefined);
  assert.equal(await tls("r.example"), await tls("r.example"));
  const [one, two] = [await endpoints(image), await endpoints({ ...image, repository: "other" })];
  assert.equal(one?.[0]?.tls, two?.[0]?.tls);
  assert.deepEqual(one?.[0]?.tls, { ca: [pem("file")], insecureSkipVerify: true });
});

test("R-7: certificates for a loopback registry mean that it speaks TLS", async (context) => {
  const local = { ...image, host: "localhost:5000" };
  const files = { "etc/docker/certs.d/localhost:5000/ca.crt": pem("file") };
  const url = async (options_: TestMachineOptions) =>
    (await (await options(context, options_)).endpoints?.(local))?.[0]?.baseUrl;
  assert.equal(await url({}), "http://localhost:5000/v2");
  assert.equal(await url({ files }), "https://localhost:5000/v2");
});

test("R-24, R-74: credentials and proxies are those of the machine", async (context) => {
  const files = { "home/.docker/config.json": { auths: { "r.example": auth("me", "p") } } };
  const { credentials, proxy } = await options(context, { files, env: { HTTPS_PROXY: "http://proxy.example:1" } });
  assert.ok(typeof credentials === "function");
  const credential = await credentials("r.example", "a");
  assert.ok(credential !== undefined && "username" in credential && credential.username === "me");
  assert.equal(proxy?.(new URL("https://r.example"))?.href, "http://proxy.example:1/");
});

test("R-24, R-70, R-71, R-72: the trail names every file of the machine that was read, and every place where there was none", async (context) => {
  const files = {
    "etc/containers/registries.conf": "",
    "etc/containers/registries.conf.d/10.conf": "",
    "etc/containerd/certs.d/_default/hosts.toml": '[host."https://m.example"]',
    "etc/docker/certs.d/m.example/readme": "",
    "home/.docker/config.json": { auths: {} },
  };
  const machine = await testMachine(context, { files });
  const trail: string[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "decision") trail.push(event.message.replace(machine.root, ""));
  };
  const systemDirectory = machine.path("etc");
  const found = await registryFromEnvironment({ ...machine, systemDirectory, onEvent });
  for (let time = 0; time < 2; time++) {
    await found.endpoints?.({ host: "r.example:5000", repository: "a", tag: "latest" }, { onEvent });
  }
  await (found.credentials as Credentials)("r.example:5000", "a", { onEvent });
  const home = (name: string) => `/home/.config/containers/${name} is not there`;
  assert.deepEqual(
    [...new Set(trail)].sort(),
    [
      home("registries.conf"),
      "/etc/containers/registries.conf is read",
      "/etc/containers/registries.conf.d/10.conf is read",
      home("registries.conf.d"),
      "/home/.docker/config.json is read",
      "/etc/containerd/certs.d/r.example_5000_ is not there",
      "/etc/containerd/certs.d/r.example:5000 is not there",
      "/etc/containerd/certs.d/_default/hosts.toml is read",
      ...["m.example", "r.example:5000"].map((host) => home(`certs.d/${host}`)),
      ...["m.example", "r.example:5000"].map((host) => `/etc/containers/certs.d/${host} is not there`),
      "/etc/docker/certs.d/m.example counts",
      "/etc/docker/certs.d/r.example:5000 is not there",
      "/run/containers/auth.json is not there",
      home("auth.json"),
      "/home/.dockercfg is not there",
    ].sort(),
  );
  const certificates = trail.filter((message) => message.includes("/certs.d/m.example"));
  assert.equal(certificates.length, 3, "what is looked for twice is told once");
});
