import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authority } from "../support/certificates.ts";
import { output } from "../support/command.ts";
import { dockerRegistry } from "../support/docker-registry.ts";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { push } from "../support/push.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipWithout } from "../support/tools.ts";

const skip = skipWithout("openssl");

/** A registry whose certificate comes from one authority, and the file of another. */
async function twoAuthorities(directory: string) {
  const [first, second] = await Promise.all([authority(), authority()]);
  const paths = { first: join(directory, "first.pem"), second: join(directory, "second.pem") };
  await writeFile(paths.first, first.cert);
  await writeFile(paths.second, second.cert);
  const registry = await startRegistry({ tls: await first.issue() });
  return { registry, paths, reference: stored(registry, "a/b", image([tar(file("motd", "hello"))])) };
}

test("--tls-ca adds to NODE_EXTRA_CA_CERTS and takes nothing away", { skip }, async () => {
  await using temporary = await scratch();
  const { registry, paths, reference } = await twoAuthorities(temporary.directory);
  await using _registry = registry;
  const pull = (env: Readonly<Record<string, string>>, ...args: string[]) =>
    ociUnpack(["-p", "linux/amd64", ...args, reference, join(temporary.directory, "target")], { env });
  const without = await pull({}, "--tls-ca", paths.second);
  assert.match(without.stderr, /authority that this machine does not know|signed by itself/);
  const { status, stderr } = await pull({ NODE_EXTRA_CA_CERTS: paths.first }, "--tls-ca", paths.second);
  assert.equal(status, 0, stderr);
});

test("NODE_EXTRA_CA_CERTS is enough for a loopback registry with TLS, and no obstacle to one without", {
  skip,
}, async () => {
  await using temporary = await scratch();
  const { registry, paths, reference } = await twoAuthorities(temporary.directory);
  await using _registry = registry;
  await using plain = await startRegistry();
  const plainReference = stored(plain, "a/b", image([tar(file("motd", "hello"))]));
  for (const [index, name] of [reference, plainReference].entries()) {
    const { status, stderr } = await ociUnpack(
      ["-p", "linux/amd64", name, join(temporary.directory, `target-${index}`)],
      { env: { NODE_EXTRA_CA_CERTS: paths.first } },
    );
    assert.equal(status, 0, stderr);
  }
});

test("authorities of the system's administrator count, as SSL_CERT_FILE names them", { skip }, async () => {
  await using temporary = await scratch();
  const { registry, paths, reference } = await twoAuthorities(temporary.directory);
  await using _registry = registry;
  const pull = (file: string, target: string) =>
    ociUnpack(
      // With an authority of one's own, the loopback registry is spoken to with TLS.
      ["-p", "linux/amd64", "--tls-ca", paths.second, reference, join(temporary.directory, target)],
      { env: { SSL_CERT_FILE: file } },
    );
  assert.match(
    (await pull(paths.second, "without")).stderr,
    /authority that this machine does not know|signed by itself/,
  );
  const { status, stderr } = await pull(paths.first, "with");
  assert.equal(status, 0, stderr);
});

test("an authority in hosts.toml adds to NODE_EXTRA_CA_CERTS and takes nothing away", { skip }, async () => {
  await using temporary = await scratch();
  const { registry, paths, reference } = await twoAuthorities(temporary.directory);
  await using _registry = registry;
  await mkdir(join(temporary.directory, "hosts/mirrored.test"), { recursive: true });
  const toml = `server = "${registry.url}"\nca = "${paths.second}"\n`;
  await writeFile(join(temporary.directory, "hosts/mirrored.test/hosts.toml"), toml);
  const { status, stderr } = await ociUnpack(
    [
      ...["-p", "linux/amd64", "--hosts-dir", join(temporary.directory, "hosts")],
      ...[reference.replace(registry.host, "mirrored.test"), join(temporary.directory, "target")],
    ],
    { env: { NODE_EXTRA_CA_CERTS: paths.first } },
  );
  assert.equal(status, 0, stderr);
});

test("a login at a docker-registry with a certificate of one's own lets the next pull in", {
  skip: skipWithout("docker-registry", "openssl", "htpasswd"),
}, async () => {
  await using temporary = await scratch();
  const { directory } = temporary;
  const own = await authority();
  const pair = await own.issue();
  const path = (name: string) => join(directory, name);
  const files = { "ca.pem": own.cert, "cert.pem": pair.cert, "key.pem": pair.key };
  for (const [name, content] of Object.entries(files)) await writeFile(path(name), content);
  await writeFile(path("htpasswd"), await output("htpasswd", ["-Bbn", "ada", "s3cret"]));
  {
    await using open = await dockerRegistry({ storage: path("storage") });
    await push(open.host, "a/b", "latest", image([tar(file("motd", "hello"))]));
  }
  await using registry = await dockerRegistry({
    storage: path("storage"),
    auth: { htpasswd: { realm: "test", path: path("htpasswd") } },
    tls: { certificate: path("cert.pem"), key: path("key.pem") },
  });
  const authFile = path("auth.json");
  const login = (...args: string[]) =>
    ociUnpack(["login", "-u", "ada", "--password-stdin", "--authfile", authFile, ...args, registry.host], {
      input: "s3cret\n",
    });
  const distrusted = await login("--tls-ca", path("htpasswd"));
  assert.equal(distrusted.status, 1, "what is no certificate is a failure");
  const wrong = await ociUnpack(
    ["login", "-u", "ada", "--password-stdin", "--authfile", authFile, "--tls-ca", path("ca.pem"), registry.host],
    { input: "wrong" },
  );
  assert.match(wrong.stderr, /the user name or the password is wrong/);
  const { status, stderr } = await login("--tls-ca", path("ca.pem"));
  assert.deepEqual([status, stderr], [0, `the login for ${registry.host} is kept in ${authFile}\n`]);

  const pull = ["-p", "linux/amd64", "--authfile", authFile, "--tls-ca", path("ca.pem")];
  const pulled = await ociUnpack([...pull, `${registry.host}/a/b`, path("target")]);
  assert.equal(pulled.status, 0, pulled.stderr);
});

test("a file of NODE_EXTRA_CA_CERTS that is not there is no obstacle", { skip }, async () => {
  await using temporary = await scratch();
  const { registry, paths, reference } = await twoAuthorities(temporary.directory);
  await using _registry = registry;
  const { status, stderr } = await ociUnpack(
    ["-p", "linux/amd64", "--tls-ca", paths.first, reference, join(temporary.directory, "target")],
    { env: { NODE_EXTRA_CA_CERTS: join(temporary.directory, "nowhere") } },
  );
  assert.equal(status, 0, stderr);
});
