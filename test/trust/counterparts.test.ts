import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { copy } from "../../src/copy/copy.ts";
import { resolve } from "../../src/look/resolve.ts";
import { signatures } from "../../src/signatures/signatures.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { push } from "../support/push.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";

// What cosign and skopeo sign is verified here, and what they refuse is refused, in Debian's docker-registry, which lists
// no referrers.

const platform = "linux/amd64";
const environment = { COSIGN_PASSWORD: "", COSIGN_YES: "true" };

describe("signatures of others", { skip: skipWithout("docker-registry", "cosign", "skopeo") }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  const path = (name: string) => join(place.directory, name);

  function run(
    program: string,
    ...args: readonly string[]
  ): { readonly status: number | null; readonly stderr: string } {
    const { PATH } = process.env;
    const env = { PATH, HOME: place.directory, TMPDIR: place.directory, ...environment };
    const { status, stderr } = spawnSync(program, args, { cwd: place.directory, encoding: "utf8", env });
    return { status, stderr };
  }

  function done(program: string, ...args: readonly string[]): void {
    const { status, stderr } = run(program, ...args);
    assert.equal(status, 0, `${program} ${args[0]}: ${stderr}`);
  }

  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    for (const name of ["own", "other"]) done("cosign", "generate-key-pair", "--output-key-prefix", name);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** Pushes an image of its own. */
  async function pushed(repository: string) {
    const one = image([tar(file("etc/name", repository))]);
    await push(registry.host, repository, "latest", one);
    const { digest } = one.manifest.descriptor;
    return {
      name: `${registry.host}/${repository}:latest`,
      exact: `${registry.host}/${repository}@${digest}`,
      digest,
      one,
    };
  }

  async function verdict(name: string, key: string, ...attestations: readonly string[]): Promise<string> {
    try {
      const { verified = [] } = await resolve(name, { platform, trust: { keys: [path(`${key}.pub`)], attestations } });
      return verified.map(({ of, format }) => `${format} of the ${of}`).join();
    } catch (error) {
      if (isOciUnpackError(error)) return error.code;
      throw error;
    }
  }

  test("cosign sign: our verdict is that of cosign verify", async () => {
    const { name, exact } = await pushed("by-cosign");
    assert.equal(await verdict(name, "own"), "SIGNATURE_MISSING");
    done("cosign", "sign", "--key", path("own.key"), "--tlog-upload=false", "--allow-insecure-registry", exact);
    for (const key of ["own", "other"]) {
      const theirs = run(
        "cosign",
        ...["verify", "--key", path(`${key}.pub`), "--insecure-ignore-tlog", "--allow-insecure-registry", exact],
      );
      assert.equal(theirs.status === 0, key === "own", theirs.stderr);
      assert.equal(await verdict(name, key), key === "own" ? "simple-signing of the manifest" : "SIGNATURE_INVALID");
    }
  });

  test("a signature that cosign made of another image does not count", async () => {
    const [first, second] = [await pushed("first"), await pushed("second")];
    done("cosign", "sign", "--key", path("own.key"), "--tlog-upload=false", "--allow-insecure-registry", first.exact);
    const tag = (digest: string) => `${digest.replace(":", "-")}.sig`;
    const insecure = ["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--quiet"];
    const from = `docker://${registry.host}/first:${tag(first.digest)}`;
    done("skopeo", ...insecure, from, `docker://${registry.host}/second:${tag(second.digest)}`);
    assert.equal(await verdict(second.name, "own"), "SIGNATURE_INVALID");
  });

  test("cosign attest: a bundle whose predicate is a signature counts, and no other", async () => {
    for (const [predicateType, expected] of [
      ["https://sigstore.dev/cosign/sign/v1", "bundle of the manifest"],
      ["https://example.com/something/v1", "SIGNATURE_INVALID"],
    ] as const) {
      const { name, exact } = await pushed(`attested-${expected.length}`);
      done(
        "cosign",
        ...[
          "attest",
          "--key",
          path("own.key"),
          "--tlog-upload=false",
          "--new-bundle-format",
          "--allow-insecure-registry",
        ],
        ...["--type", predicateType, "--predicate", "/dev/stdin", exact].map((each) =>
          each === "/dev/stdin" ? emptyPredicate() : each,
        ),
      );
      assert.equal(await verdict(name, "own"), expected);
    }
  });

  /** cosign wants a root of trust for a bundle, also where it asks nothing of it. */
  function emptyRoot(): string {
    writeFileSync(path("root.json"), '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
    return path("root.json");
  }

  function emptyPredicate(): string {
    const predicate = path("predicate.json");
    spawnSync("sh", ["-c", `echo '{}' > "$0"`, predicate]);
    return predicate;
  }

  for (const [number, form] of ["--new-bundle-format=true", "--new-bundle-format=false"].entries()) {
    test(`cosign attest ${form}: our verdict is that of cosign verify-attestation`, async () => {
      const { name, exact } = await pushed(`attested-${form.length}`);
      const insecure = ["--allow-insecure-registry", form];
      const predicate = ["--type", "https://example.com/tested/v1", "--predicate", emptyPredicate()];
      done("cosign", "attest", "--key", path("own.key"), "--tlog-upload=false", ...insecure, ...predicate, exact);
      for (const key of ["own", "other"]) {
        for (const type of half(["https://example.com/tested/v1", "https://example.com/another/v1"], number)) {
          const asked = ["--key", path(`${key}.pub`), "--insecure-ignore-tlog", "--type", type];
          const root = form.endsWith("true") ? ["--trusted-root", emptyRoot()] : [];
          const theirs = run("cosign", "verify-attestation", ...asked, ...insecure, ...root, exact);
          assert.equal(theirs.status === 0, key === "own" && type.includes("tested"), theirs.stderr);
          const missing = key === "own" ? "ATTESTATION_MISSING" : "SIGNATURE_INVALID";
          const format = form.endsWith("true") ? "bundle" : "attestation";
          const expected = theirs.status === 0 ? `${format} of the manifest` : missing;
          assert.equal(await verdict(name, key, type), expected);
        }
      }
    });
  }

  test("skopeo copy --sign-by-sigstore-private-key: from a directory, as skopeo's policy has it", async () => {
    const { one } = await pushed("by-skopeo");
    await writeImageLayout(path("layout"), [{ tag: "x", images: [one] }]);
    const insecure = ["--insecure-policy", "copy", "--quiet"];
    const passphrase = path("passphrase");
    spawnSync("sh", ["-c", `: > "$0"`, passphrase]);
    done("skopeo", "generate-sigstore-key", "--output-prefix", path("skopeo"), "--passphrase-file", passphrase);
    const signing = ["--sign-by-sigstore-private-key", path("skopeo.private"), "--sign-passphrase-file", passphrase];
    done(
      "skopeo",
      ...insecure,
      ...signing,
      "--sign-identity",
      "registry.example/app:1",
      `oci:${path("layout")}:x`,
      `dir:${path("signed")}`,
    );
    copyFileSync(path("skopeo.pub"), path("skopeo-key.pub"));
    assert.equal(await verdict(`dir:${path("signed")}`, "skopeo-key"), "simple-signing of the manifest");
    assert.equal(await verdict(`dir:${path("signed")}`, "own"), "SIGNATURE_INVALID");
  });

  test("a layout that has the tag of the signatures is verified as the registry is", async () => {
    const { name, exact, digest } = await pushed("to-layout");
    done("cosign", "sign", "--key", path("own.key"), "--tlog-upload=false", "--allow-insecure-registry", exact);
    mkdirSync(path("copied"));
    const insecure = ["--insecure-policy", "copy", "--src-tls-verify=false", "--quiet"];
    const tag = `${digest.replace(":", "-")}.sig`;
    done("skopeo", ...insecure, `docker://${name}`, `oci:${path("copied")}:latest`);
    done("skopeo", ...insecure, `docker://${registry.host}/to-layout:${tag}`, `oci:${path("copied")}:${tag}`);
    assert.equal(await verdict(`oci:${path("copied")}:latest`, "own"), "simple-signing of the manifest");
    assert.equal(await verdict(`oci:${path("copied")}:latest`, "other"), "SIGNATURE_INVALID");
  });

  test("copy takes along what cosign made, as it lists them too, and it is verified where the copy is", async () => {
    const { name, exact } = await pushed("to-copy");
    const unlogged = ["--key", path("own.key"), "--tlog-upload=false", "--allow-insecure-registry"];
    const type = "https://example.com/tested/v1";
    const attest = ["attest", ...unlogged, "--type", type, "--predicate", emptyPredicate()];
    done("cosign", "sign", ...unlogged, exact);
    for (const form of ["--new-bundle-format=true", "--new-bundle-format=false"])
      done("cosign", ...attest, form, exact);
    await copy(name, path("copy"), { platform, signatures: true });
    const copied = `oci:${path("copy")}:latest`;
    assert.equal(await verdict(copied, "own"), "simple-signing of the manifest");
    assert.equal(await verdict(copied, "own", type), "bundle of the manifest");
    assert.equal(await verdict(copied, "other"), "SIGNATURE_INVALID");
    const trust = { keys: [path("own.pub")] };
    const there = await signatures(name, { platform, trust });
    const here = await signatures(copied, { platform, trust });
    assert.deepEqual(here.signatures, there.signatures);
    assert.deepEqual(
      here.signatures.map(({ format, verdict: found }) => [format, found]),
      [
        ["bundle", "verified"],
        ["attestation", "verified"],
        ["simple-signing", "verified"],
      ],
    );
  });

  test("the command takes the key, tells who signed, and leaves nothing where the key is another", async () => {
    const { name, exact } = await pushed("by-command");
    done("cosign", "sign", "--key", path("own.key"), "--tlog-upload=false", "--allow-insecure-registry", exact);
    const args = (key: string, target: string) => [
      "-p",
      platform,
      "--verify-key",
      path(`${key}.pub`),
      name,
      path(target),
    ];
    const good = await ociUnpack(["--json", ...args("own", "good")]);
    assert.equal(good.status, 0, good.stderr);
    const [verified] = JSON.parse(good.stdout).verified;
    assert.deepEqual([verified.of, verified.format], ["manifest", "simple-signing"]);
    const bad = await ociUnpack(args("other", "bad"));
    assert.equal(bad.status, 1);
    assert.match(
      bad.stderr,
      /^error: cannot trust "[^"]*": a signature of sha256:\w+ by the key "[^"]*other.pub" is demanded, and the simple signing sha256:\w+ about the manifest does not count: another key made it$/m,
    );
    const { status } = spawnSync("test", ["-e", path("bad")]);
    assert.equal(status, 1);
  });
});
