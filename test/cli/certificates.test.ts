import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authority } from "../support/certificates.ts";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
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
