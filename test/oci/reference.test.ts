import assert from "node:assert/strict";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { formatReference, parseReference, type Reference, registryHost } from "../../src/oci/reference.ts";

const sha256 = `sha256:${"ab".repeat(32)}`;
const sha512 = `sha512:${"cd".repeat(64)}`;

// What is written, and its canonical form. The behaviours are those that github.com/distribution/reference tests for.
const readable: readonly (readonly [written: string, canonical: string])[] = [
  // Docker Hub and its three names.
  ["debian", "docker.io/library/debian:latest"],
  ["debian:stable", "docker.io/library/debian:stable"],
  ["library/debian", "docker.io/library/debian:latest"],
  ["nixos/nix", "docker.io/nixos/nix:latest"],
  ["nixos/deep/er/nix", "docker.io/nixos/deep/er/nix:latest"],
  ["library/deep/er", "docker.io/library/deep/er:latest"],
  ["docker.io/debian", "docker.io/library/debian:latest"],
  ["docker.io/library/debian:12", "docker.io/library/debian:12"],
  ["index.docker.io/debian", "docker.io/library/debian:latest"],
  ["index.docker.io/nixos/nix", "docker.io/nixos/nix:latest"],
  ["registry-1.docker.io/debian", "docker.io/library/debian:latest"],
  ["Docker.io/debian", "docker.io/library/debian:latest"],

  // One component is never a host, whatever it looks like.
  ["docker.io", "docker.io/library/docker.io:latest"],
  ["localhost", "docker.io/library/localhost:latest"],
  ["registry.test:5000", "docker.io/library/registry.test:5000"],
  ["192.0.2.7", "docker.io/library/192.0.2.7:latest"],
  ["192.0.2.7:5000", "docker.io/library/192.0.2.7:5000"],
  ["under_score.test:8080", "docker.io/library/under_score.test:8080"],

  // The first of several is one with a dot, a colon or an upper-case letter, or localhost.
  ["localhost/x", "localhost/x:latest"],
  ["localhost:5000/x", "localhost:5000/x:latest"],
  ["registry.test/x", "registry.test/x:latest"],
  ["registry.test/a/b/c:t", "registry.test/a/b/c:t"],
  ["registry:5000/x", "registry:5000/x:latest"],
  ["registry:5000/x:5050", "registry:5000/x:5050"],
  ["reg-istry:5000/x", "reg-istry:5000/x:latest"],
  ["registry/x", "docker.io/registry/x:latest"],
  ["reg_istry/x", "docker.io/reg_istry/x:latest"],
  ["Registry/x", "Registry/x:latest"],
  ["REGISTRY/x", "REGISTRY/x:latest"],
  ["192.0.2.7/x", "192.0.2.7/x:latest"],
  ["192.0.2.7:5000/x:1", "192.0.2.7:5000/x:1"],
  ["xn--n3h.com/x:xn--n3h.com", "xn--n3h.com/x:xn--n3h.com"],
  ["sub-1.registry.test/a.b/my-app:a.b", "sub-1.registry.test/a.b/my-app:a.b"],

  // IPv6 literals.
  ["[::1]:5000/x", "[::1]:5000/x:latest"],
  ["[2001:db8::1]/x", "[2001:db8::1]/x:latest"],
  ["[2001:db8::]:5000/a/b:t", "[2001:db8::]:5000/a/b:t"],
  ["[2001:DB8:1:2:3:4:5:6]:5000/x", "[2001:DB8:1:2:3:4:5:6]:5000/x:latest"],

  // Separators within a component of the path: one dot, one or two underscores, any number of hyphens.
  ["d/x", "docker.io/d/x:latest"],
  ["x/a.b/c_d/e__f/g-h/i---j", "docker.io/x/a.b/c_d/e__f/g-h/i---j:latest"],
  ["ubuntu-12.04-base", "docker.io/library/ubuntu-12.04-base:latest"],

  // Tags and digests.
  ["x:UPPER_lower.1-2", "docker.io/library/x:UPPER_lower.1-2"],
  ["x:_", "docker.io/library/x:_"],
  [`x@${sha256}`, `docker.io/library/x@${sha256}`],
  [`x@${sha512}`, `docker.io/library/x@${sha512}`],
  [`registry.test:5000/a/b/c:t@${sha256}`, `registry.test:5000/a/b/c:t@${sha256}`],
  [`[::1]:5000/x:t@${sha256}`, `[::1]:5000/x:t@${sha256}`],
  [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`],

  // Hexadecimal names are names, unless they are an image's ID.
  ["deadbeef", "docker.io/library/deadbeef:latest"],
  [`docker.io/${"1a".repeat(32)}`, `docker.io/library/${"1a".repeat(32)}:latest`],
  ["f".repeat(63), `docker.io/library/${"f".repeat(63)}:latest`],
];

test("R-1, R-2: a reference means to us what it means to docker", () => {
  assert.deepEqual(
    readable.map(([written]) => [written, formatReference(parseReference(written))]),
    readable,
  );
});

test("R-1: the canonical form means the same reference", () => {
  for (const [written, canonical] of readable)
    assert.deepEqual(parseReference(canonical), parseReference(written), written);
});

const unreadable: readonly string[] = [
  "",
  ":t",
  `@${sha256}`,
  "x:",
  "x@",
  "x:t:t",
  `x@${sha256}@${sha256}`,
  " x",
  "x ",
  "x\n",
  "x y",
  "https://registry.test/x",
  "docker://x",
  "/x",
  "x/",
  "localhost/",
  "docker.io/",
  "a//b",
  "a///b",
  "-x",
  "-x/y",
  "x-/y",
  "_x/y",
  "____/____",
  "a..b/x",
  "a_.b/x",
  "a-.b/x",
  "a___b/x",
  "aa/as$$^/aa",
  "é/x",
  "x/../y",
  "x/%2e%2e/y",
  "user@registry.test/x",
  "registry.test\\x/y",
  // Upper case.
  "X",
  "X:t",
  "docker/Docker",
  "docker.io/docker/Docker",
  "registry:5000/Upper/lower:t",
  // Hosts.
  "-registry.test/x",
  "registry-.test/x",
  "registry..test/x",
  ".registry.test/x",
  "registry.test:/x",
  "registry.test:http/x",
  "registry.test:65536/x",
  "[::1]",
  "[::1]:5000",
  "[::1]:t",
  "::1/x",
  "2001:db8::1:5000/x",
  "[fe80::1%eth0]:5000/x",
  "[2001:db8:3:4::192.0.2.33]:5000/x",
  "[2001:db8:::1]/x",
  "[:]/x",
  // digests.
  "x@sha256:abcd",
  `x@sha256:${"AB".repeat(32)}`,
  `x@SHA256:${"ab".repeat(32)}`,
  `x@sha256:${"ab".repeat(33)}`,
  `x@sha256:${"xy".repeat(32)}`,
  `x@sha512:${"ab".repeat(32)}`,
  "x@sha256:../../../../etc/passwd",
  "x@multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
  // Tags.
  "x:-t",
  "x:.t",
  "x:t/y",
  "x:ü",
  // An image's ID.
  "1a".repeat(32),
];

test("R-1: what docker does not read as a reference, nobody does", () => {
  const read = unreadable.filter((text) => !isInvalid(text));
  assert.deepEqual(read, []);
});

test("R-3: Docker Hub is one registry under three names, and answers under the last", () => {
  for (const host of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
    const reference = parseReference(`${host}/nixos/nix`);
    assert.equal(reference.registry, "docker.io");
    assert.equal(registryHost(reference), "registry-1.docker.io");
  }
});

test("R-3: any other registry answers where its name says", () => {
  assert.equal(registryHost(parseReference("ghcr.io/acme/api")), "ghcr.io");
  assert.equal(registryHost(parseReference("[::1]:5000/x")), "[::1]:5000");
});

test("R-4: a tag beside a digest is kept for people", () => {
  assert.deepEqual(parseReference(`debian:stable@${sha256}`), {
    registry: "docker.io",
    path: "library/debian",
    tag: "stable",
    digest: sha256,
  });
});

test("R-4: a digest alone gets no tag", () => {
  const expected = { registry: "docker.io", path: "library/debian", digest: sha256 };
  assert.deepEqual(parseReference(`debian@${sha256}`), expected);
});

test("R-5: a digest of an unknown algorithm parses, for verification to refuse it", () => {
  assert.equal(parseReference(`x@blake3:${"ab".repeat(32)}`).digest, `blake3:${"ab".repeat(32)}`);
});

test("R-6: a tag has at most 128 characters", () => {
  assert.ok(isInvalid(`x:${"t".repeat(129)}`));
});

test("R-6: a path has at most 255 characters, the host not counted", () => {
  const path = `${"a/".repeat(127)}a`;
  assert.equal(parseReference(`registry.test/${path}`).path, path);
  assert.ok(isInvalid(`registry.test/${path}b`));
  assert.ok(isInvalid("a".repeat(256 - "library/".length)));
});

test("a host that a URL would read as another is refused, so that what was checked is what is connected to", () => {
  for (const host of ["127.1:5000", "0x7f.0.0.1", "0177.0.0.1", "2130706433:80", "192.0.2.256", "registry.1:5000"]) {
    assert.ok(isInvalid(`${host}/x`), host);
  }
});

test("an unreadable reference is answered with what to write instead", () => {
  const hints = [
    ["https://ghcr.io/acme/api", 'leave out "https://"'],
    ["ghcr.io/Acme/api", "write acme/api"],
    ["127.1:5000/x", "write 127.0.0.1"],
    ["1a".repeat(32), "name the repository too: NAME@sha256:…"],
    ["x:-t", 'a tag has 1 to 128 letters, digits, "_", "." and "-", and begins with none of the last two'],
    ["x@sha256:12", "a digest is sha256: and 64 lower-case hexadecimal digits"],
    ["./x", "an image on this machine is named by its kind: oci:./layout, docker-archive:./image.tar"],
    ["/x/y", "an image on this machine is named by its kind: oci:./layout, docker-archive:./image.tar"],
    ["a b", "write it as [HOST[:PORT]/]NAME[:TAG][@DIGEST], for instance debian:stable or ghcr.io/acme/api:2.1"],
  ] as const;
  for (const [text, hint] of hints) {
    assert.throws(() => parseReference(text), { code: "INVALID_REFERENCE", hint });
  }
});

test("an endless reference is refused at once, in a short message", () => {
  for (const text of ["a".repeat(1e7), "a-".repeat(1e6), `x@sha256:${"a".repeat(1e7)}`]) {
    assert.throws(
      () => parseReference(text),
      (error) => isOciUnpackError(error, "INVALID_REFERENCE") && error.message.length < 200,
    );
  }
});

function isInvalid(text: string): boolean {
  try {
    parseReference(text) satisfies Reference;
    return false;
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_REFERENCE")) return true;
    throw error;
  }
}
