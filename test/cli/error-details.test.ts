import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { ErrorDetails } from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { type Image, image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, withBody } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, hardlink, tar } from "../support/tar-builder.ts";

/** Two layers; what goes wrong does so in the second. */
const sample = image([tar(file("a", "1")), tar(file("d/large", "2".repeat(1000)))]);
const [, second] = sample.layers;
const anotherDigest = digestOf(Buffer.from("something else"));

interface Failing {
  readonly title: string;
  readonly image?: Image;
  /** What the registry does wrong. */
  readonly fault?: (registry: RegistryDouble) => void;
  readonly args?: readonly string[];
  /** Where the image is to go, from a fresh directory. Default: `target`. */
  readonly target?: string;
  readonly code: string;
  readonly details: (host: string) => ErrorDetails;
}

const failing: readonly Failing[] = [
  {
    title: "an image that is not there: the registry, who answered, and the status",
    fault: (registry) => registry.always(/\/manifests\//, answer(404)),
    code: "NOT_FOUND",
    details: (host) => ({ registry: host, host, status: 404 }),
  },
  {
    title: "a blob that is not there: its digest, too",
    fault: (registry) => registry.always(/\/blobs\//, answer(403)),
    code: "FORBIDDEN",
    details: (host) => ({ registry: host, host, status: 403, digest: sample.config.descriptor.digest }),
  },
  {
    title: "a blob that is another one: the digest that it should have",
    fault: (registry) =>
      registry.always(
        new RegExp(String(second?.descriptor.digest)),
        withBody((body) => Buffer.alloc(body.length)),
      ),
    code: "DIGEST_MISMATCH",
    details: () => ({ digest: String(second?.descriptor.digest) }),
  },
  {
    title: "a manifest that is too large: the limit, and what it is",
    args: ["--limit", "manifestBytes=100"],
    code: "LIMIT_EXCEEDED",
    details: (host) => ({ registry: host, host, limit: "manifestBytes", allowed: 100 }),
  },
  {
    title: "a file that is too large: from the confined thread its layer and its path, too",
    args: ["--limit", "fileBytes=999"],
    code: "LIMIT_EXCEEDED",
    details: () => ({ layer: 1, path: "d/large", limit: "fileBytes", allowed: 999 }),
  },
  {
    title: "an entry that is refused: its layer and its path",
    image: image([tar(file("a", "1")), tar(hardlink("b", "nowhere"))]),
    code: "ENTRY_REFUSED",
    details: () => ({ layer: 1, path: "b" }),
  },
  {
    title: "a layer that is not the configuration's: the diffID that it should have",
    image: image([tar(file("a", "1"))], { diffIds: [anotherDigest] }),
    code: "DIFF_ID_MISMATCH",
    details: () => ({ layer: 0, digest: anotherDigest }),
  },
  {
    title: "an option that makes no sense: its name",
    args: ["--include", "/"],
    code: "INVALID_OPTION",
    details: () => ({ option: "include" }),
  },
  {
    title: "a target that cannot be made: what the system call failed with",
    target: "/dev/null/target",
    code: "TARGET_UNUSABLE",
    details: () => ({ errno: "ENOTDIR" }),
  },
];

for (const { title, fault, args = [], target = "target", code, details, image: own = sample } of failing) {
  test(`--json tells as facts of ${title}`, async () => {
    await using registry = await startRegistry();
    await using place = await scratch();
    const reference = stored(registry, "app", own);
    fault?.(registry);
    const common = ["--json", "--quiet", "--platform", "linux/amd64"];
    const { stdout } = await ociUnpack([...common, ...args, reference, resolve(place.directory, target)]);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, code, stdout);
    assert.deepEqual(error.details, details(registry.host));
  });
}

test("--json tells as facts of a registry that cannot be reached: which it is, and no status", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  await using place = await scratch();
  await mkdir(join(place.directory, "empty"));
  const host = `127.0.0.1:${port}`;
  const { stdout } = await ociUnpack(["--json", "-q", `${host}/app`, join(place.directory, "empty")]);
  const { code, details } = JSON.parse(stdout).error;
  assert.deepEqual([code, details], ["UNREACHABLE", { registry: host, host }]);
});

test("--json has no facts where there are none", async () => {
  const { stdout } = await ociUnpack(["--json", "-q", "Not:a:reference", "x"]);
  assert.deepEqual(Object.keys(JSON.parse(stdout).error), ["code", "message", "hint"]);
});
