import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authority, type KeyPair } from "../support/certificates.ts";
import { image, layer, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, type RegistryDoubleOptions, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";

/** Of the machine that is not allowed. */
const names = ["127.0.0.1", "localhost"];

const archive = tar(file("motd", "hello"));

/** An image at a registry that is allowed, and what it takes to be led from there to a machine that is not. */
interface Lure {
  readonly reference: string;
  readonly args?: readonly string[];
}

/** Each pulls by way of a machine at 127.0.0.1: refused without a word to it, and reached where `--allow-host` says so. */
async function assertGuarded(
  lure: (inner: RegistryDouble, outer: (options: RegistryDoubleOptions) => Promise<RegistryDouble>) => Promise<Lure>,
  tls?: KeyPair,
): Promise<void> {
  await using temporary = await scratch();
  await using inner = await startRegistry(tls === undefined ? {} : { tls });
  await using stack = new Closing();
  const { reference, args = [] } = await lure(inner, async (options) =>
    stack.use(await startRegistry({ address: "127.0.0.2", ...options })),
  );
  const target = join(temporary.directory, "target");
  const pull = (...hosts: string[]) => {
    const allowed = hosts.map((host) => `--allow-host=${host}`);
    return ociUnpack(["-p", "linux/amd64", "--json", "--deny-private", ...allowed, ...args, reference, target]);
  };
  const { status, stdout, stderr } = await pull("127.0.0.2");
  assert.equal(JSON.parse(stdout).error?.code, "POLICY_DENIED", stderr);
  assert.equal(status, 1);
  assert.match(stderr, /(127\.0\.0\.1|localhost):\d+ is (at \S+, )?a loopback address/);
  assert.match(stderr, /^hint: allow "\S+" with --allow-host, if it is to be trusted$/m);
  assert.equal(inner.requests.length, 0, "nobody there was asked for anything");
  assert.ok(!existsSync(target), "nothing was left behind");

  await pull("127.0.0.2", "localhost", "127.0.0.1/32");
  assert.ok(inner.requests.length > 0, "the way was open but for the policy");
}

/** Closes what was opened on the way. */
class Closing implements AsyncDisposable {
  readonly #opened: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
  }
}

test("--deny-private refuses a registry at a private address, whether named by address or by name", async () => {
  for (const name of half(names, 1)) {
    await assertGuarded(async (inner) => ({
      reference: stored(inner, "a/b", image([archive])).replace("127.0.0.1", name),
    }));
  }
});

test("--deny-private refuses a token server at a private address", async () => {
  for (const name of half(names)) {
    await assertGuarded(async (inner, outer) => {
      const realm = `${inner.url.replace("127.0.0.1", name)}/token`;
      const registry = await outer({ access: { type: "token", realm } });
      return { reference: stored(registry, "a/b", image([archive])) };
    });
  }
});

test("--deny-private refuses a redirect to a private address", async () => {
  for (const name of half(names)) {
    await assertGuarded(async (inner, outer) => {
      const elsewhere = inner.url.replace("127.0.0.1", name);
      const registry = await outer({ redirectBlobs: (digest) => `${elsewhere}/cdn/${digest}` });
      return { reference: stored(registry, "a/b", image([archive])) };
    });
  }
});

test("--deny-private refuses a mirror at a private address", async () => {
  await using temporary = await scratch();
  await assertGuarded(async (inner) => {
    stored(inner, "a/b", image([archive]));
    const hosts = join(temporary.directory, "registry.test");
    await mkdir(hosts);
    await writeFile(join(hosts, "hosts.toml"), `server = "${inner.url}"\n`);
    return { reference: "registry.test/a/b:latest", args: ["--hosts-dir", temporary.directory] };
  });
});

test("--deny-private refuses a foreign layer's url at a private address", {
  skip: skipWithout("openssl"),
}, async () => {
  await using temporary = await scratch();
  const own = await authority();
  const ca = join(temporary.directory, "ca.pem");
  await writeFile(ca, own.cert);
  await assertGuarded(
    async (inner, outer) => {
      const { bytes, descriptor } = layer(archive, "gzip");
      inner.addBlob(bytes);
      const urls = [`${inner.url}/cdn/${descriptor.digest}`];
      const foreign = { bytes: Buffer.from("not here"), descriptor: { ...descriptor, urls } };
      const registry = await outer({});
      const reference = stored(registry, "a/b", image([archive], { layers: [foreign] }));
      return { reference, args: ["--foreign-layers", "--plain-http", "--tls-ca", ca] };
    },
    await own.issue(),
  );
});

test("without options a registry on this machine is pulled from, and what it leads to may be here too", async () => {
  await using temporary = await scratch();
  await using cdn = await startRegistry();
  await using registry = await startRegistry({
    content: cdn.content,
    redirectBlobs: (digest) => `${cdn.url}/cdn/${digest}`,
  });
  const reference = stored(registry, "a/b", image([archive]));
  const { status, stderr } = await ociUnpack(["-p", "linux/amd64", reference, join(temporary.directory, "target")]);
  assert.equal(status, 0, stderr);
});

test("--allow-host with what is no network is refused before anybody is asked", async () => {
  await using registry = await startRegistry();
  await using place = await scratch();
  const target = join(place.directory, "target");
  const { status, stderr } = await ociUnpack(["--allow-host=10.0.0.0/99", `${registry.host}/a/b`, target]);
  assert.equal(status, 2, stderr);
  assert.deepEqual(await readdir(place.directory), []);
  assert.match(stderr, /cannot allow "10\.0\.0\.0\/99": it is not a network\nhint: write HOST, /);
  assert.equal(registry.requests.length, 0);
});
