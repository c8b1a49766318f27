import type { Defence } from "./defence.ts";

const rules = "rules/rules";
const hostile = "hostile/hostile";

/** What stands between an image's documents and what is done with them. */
export const documentDefences: readonly Defence[] = [
  {
    group: "G",
    what: "a digest is one, before it becomes a part of a URL or a path",
    file: "src/oci/digest.ts",
    without: ["if (text.length > 512 || !grammar.test(text)) return undefined;", ""],
    test: [hostile, "a layer's digest of ../../outside:secret"],
  },
  {
    group: "G",
    what: "a sha256 digest has 64 lower-case digits",
    file: "src/oci/digest.ts",
    without: ["if (hexLength !== undefined && ", "if (false && "],
    test: [rules, "S16: a sha256 digest of other than 64 lower-case digits is refused"],
  },
  {
    group: "G",
    what: "a digest that nobody can verify is refused",
    file: "src/oci/digest.ts",
    without: [`if (algorithm !== "sha256" && algorithm !== "sha512") {`, "if (false) {"],
    test: [hostile, "a digest of an algorithm that nobody can verify"],
  },
  {
    group: "J",
    what: "a document has the members of one kind",
    file: "src/oci/document.ts",
    without: ["if (shapes.length > 1) {", "if (false) {"],
    test: ["oci/document", "a document that is index and manifest at once is refused, whoever calls it what"],
  },
  {
    group: "J",
    what: "all that state its type agree",
    file: "src/oci/document.ts",
    without: ["if (others.length > 0) {", "if (false) {"],
    test: ["oci/document", "a document's own type must be its Content-Type"],
  },
  {
    group: "J",
    what: "its members are those of its type",
    file: "src/oci/document.ts",
    without: ["if (shape !== undefined && shape !== kind) {", "if (false) {"],
    test: ["oci/document", "R-32: a document must have the members of its type"],
  },
  {
    group: "J",
    what: "no object has a key twice",
    file: "src/oci/json.ts",
    without: ["if (object.keys.has(key))", "if (false)"],
    test: [hostile, "a manifest that says everything twice"],
  },
  {
    group: "J",
    what: "an artifact is no image",
    file: "src/resolve.ts",
    without: ["requireImage(found.manifest);", ""],
    test: [hostile, "a configuration that is a layer"],
  },
  {
    group: "N",
    what: "an image's own files are looked for within its root (`RESOLVE_IN_ROOT`)",
    file: "src/linux/in-root.ts",
    without: [" | RESOLVE_IN_ROOT),", "),"],
    test: [hostile, "a bundle's /etc/passwd that is a symlink to one outside"],
  },
  {
    group: "N",
    what: "none of them is opened before one knows what it is (`O_PATH`)",
    file: "src/linux/in-root.ts",
    without: ["O_PATH | O_CLOEXEC", "O_CLOEXEC"],
    test: ["bundle/file-in-rootfs", "a fifo is refused, not waited for"],
  },
  {
    group: "N",
    what: "they are regular files",
    file: "src/bundle/file-in-rootfs.ts",
    without: [`if (typeof stat === "number" || stat.type !== "file") throw`, "if (false) throw"],
    test: [hostile, "a bundle's /etc/passwd that is a fifo"],
  },
  {
    group: "N",
    what: "of a size that one reads",
    file: "src/bundle/file-in-rootfs.ts",
    without: ["if (stat.sizeBytes > mostBytes) throw", "if (false) throw"],
    test: [hostile, "a bundle's /etc/passwd of five mebibytes (CVE-2024-9676)"],
  },
  {
    group: "N",
    what: "a volume is a path in the container",
    file: "src/bundle/mounts.ts",
    without: ["if (!isPlain) {", "if (false) {"],
    test: [hostile, "a bundle's volume that climbs (CVE-2022-23648)"],
  },
];

/** What makes sure that bytes are what their digests say, and that nobody sees them before. */
export const verificationDefences: readonly Defence[] = [
  {
    group: "verification",
    what: "a blob has the digest that its descriptor states",
    file: "src/blob/verified.ts",
    without: ["if (actual !== expected.digest) {", "if (false) {"],
    test: ["blob/verified", "a blob of the right size and another digest is refused"],
  },
  {
    group: "verification",
    what: "and is not shorter than that",
    file: "src/blob/verified.ts",
    without: ["if (sizeBytes < expected.sizeBytes) throw", "if (false) throw"],
    test: ["blob/verified", "S15: a blob that is shorter than expected is refused by its size"],
  },
  {
    group: "verification",
    what: "a layer has the diffID that the configuration states",
    file: "src/worker/decompress-worker.ts",
    without: ["verification?.end();", ""],
    test: ["worker/pipeline", "a wrong diffID is found"],
  },
  {
    group: "verification",
    what: "also where a third thread verifies it",
    file: "src/worker/digest-worker.ts",
    without: ["inLayer(number, () => verification.end());", ""],
    test: ["worker/pipeline", "a wrong diffID is found"],
  },
  {
    group: "verification",
    what: "there are as many diffIDs as layers",
    file: "src/resolve.ts",
    without: ["if (manifest.layers.length !== diffIDs.length) {", "if (false) {"],
    test: [rules, "S14: an image with layers and no diffIDs is refused before a layer is downloaded"],
  },
  {
    group: "verification",
    what: "a document that a descriptor led to has its digest",
    file: "src/oci/descriptor.ts",
    without: ["  verifyDigest(digest, bytes);\n", ""],
    test: ["resolve", "a manifest must have the size and the digest that the index states"],
  },
  {
    group: "verification",
    what: "and its size",
    file: "src/oci/descriptor.ts",
    without: ["if (bytes.length !== sizeBytes) {", "if (false) {"],
    test: ["resolve", "a manifest must have the size and the digest that the index states"],
  },
  {
    group: "verification",
    what: "a document that a user named by digest has that one",
    file: "src/documents.ts",
    without: ["if (digest !== undefined) verifyDigest(digest, bytes);", ""],
    test: ["resolve", "R-34: by digest, the bytes must have it, in either algorithm"],
  },
  {
    group: "verification",
    what: "what a descriptor holds itself is what it says",
    file: "src/oci/descriptor.ts",
    without: ["  verifyBytes(descriptor, descriptor.data);\n", ""],
    test: ["resolve", "R-41: inline content of another digest or size is an error"],
  },
  {
    group: "verification",
    what: "a blob in a store is read again before it is believed",
    file: "src/store/blob-store.ts",
    without: ["return hasher.digest() === digest;", "return true;"],
    test: ["store/stored-source", "a stored blob that was damaged is fetched again, once, without anybody noticing"],
  },
  {
    group: "verification",
    what: "what failed leaves nothing",
    file: "src/unpack.ts",
    without: ["await pipeline.discard(target.staging);", ""],
    test: [hostile, "a gzip bomb"],
  },
  {
    group: "verification",
    what: "a commit that fails half way is undone",
    file: "src/target.ts",
    without: ["for (const step of undo.toReversed()) await step();", ""],
    test: ["target", "when the configuration cannot be written last, the root filesystem does not stay either"],
  },
];

/** What is left to code that hostile bytes have taken over. */
export const sandboxDefences: readonly Defence[] = [
  {
    group: "sandbox",
    what: "the thread that applies reaches its staging directory alone",
    file: "src/worker/apply-worker.ts",
    without: ["{ writableBeneath: directory }", '{ writableBeneath: openDirectoryPath("/") }'],
    test: ["worker/confinement", "the thread that applies reaches its staging directory, and no other"],
  },
  {
    group: "sandbox",
    what: "the thread that decompresses opens nothing",
    file: "src/worker/decompress-worker.ts",
    without: ["confineThread(job.sandbox, {})", `confineThread("off", {})`],
    test: ["worker/confinement", "each of the three threads confines itself"],
  },
  {
    group: "sandbox",
    what: "so does the thread that digests",
    file: "src/worker/digest-worker.ts",
    without: ["confineThread(job.sandbox, {})", `confineThread("off", {})`],
    test: ["worker/confinement", "each of the three threads confines itself"],
  },
  {
    group: "sandbox",
    what: "the thread that compares a directory with an image reads that one alone",
    file: "src/worker/verify.ts",
    without: ["confineThread(job.sandbox, { readableBeneath: [directory] })", `confineThread("off", {})`],
    test: ["worker/confinement", "the thread that compares a directory with an image confines itself"],
  },
  {
    group: "sandbox",
    what: "what is not granted is taken",
    file: "src/linux/landlock.ts",
    without: ["restrictSelf(calls.landlockRestrictSelf, ruleset, 0)", "0"],
    test: ["linux/landlock", "a confined thread reaches its own directory and nothing else"],
  },
  {
    group: "sandbox",
    what: "TCP is taken, too",
    file: "src/linux/landlock.ts",
    without: ["abi >= 4 ? BigInt(TCP_BIND_AND_CONNECT) : 0n", "0n"],
    test: ["linux/landlock", "a confined thread reaches its own directory and nothing else"],
  },
  {
    group: "sandbox",
    what: "programs in the staging directory are not run",
    file: "src/linux/landlock.ts",
    without: ["rights & ~(EXECUTE | MAKE_SOCK | IOCTL_DEV)", "rights"],
    test: ["linux/landlock", "a confined thread reaches its own directory and nothing else"],
  },
  {
    group: "sandbox",
    what: "`require` means that there is no unpacking without",
    file: "src/worker/confinement.ts",
    without: [`if (policy === "prefer") return`, "return"],
    test: ["worker/confinement", "where Landlock cannot be had, `require` unpacks nothing"],
  },
  {
    group: "sandbox",
    what: "libuv's pool runs before a thread confines itself",
    file: "src/worker/thread.ts",
    without: [`await stat("/");`, ""],
    test: ["integration/host", "the pool of a host that requires the library runs, and is not confined"],
  },
];
