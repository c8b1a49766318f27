import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { UnpackOptions } from "../../src/operation/options.ts";
import { unpack } from "../../src/unpack/unpack.ts";
import type { waitsOf } from "../../src/worker/ring-waits.ts";
import { blob, type Image, image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { closeAfter, type Fault, hangAfter, withBody } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

/** With so many threads, blobs are digested on the main thread, or on one of their own. */
const divisions = [1, 4] as const;

const low = tar(file("low", "of the lower layer"));
/** Many times what a ring has room for, compressed or not. */
const largeFile = file("large", randomBytes(12_000_000));
const sample = image([low, tar(largeFile), tar(file("high", "of the upper layer"))]);

const refusedFirst = image([low, tar(file("../out", "1"), largeFile)]);
const middle = 6_000_000;

interface Wrong {
  /** Of the second layer, which is the large one. */
  readonly what: string;
  /** Default: the sample. */
  readonly of?: Image;
  readonly fault: Fault;
  readonly code: ErrorCode;
}

const wrongs: readonly Wrong[] = [
  { what: "its last byte is another", fault: otherAt(-1), code: "DIGEST_MISMATCH" },
  { what: "a byte in its middle is another", fault: otherAt(middle), code: "DIGEST_MISMATCH" },
  { what: "it cannot be decompressed at all", fault: otherAt(2), code: "DIGEST_MISMATCH" },
  { what: "it is too short", fault: withBody((bytes) => bytes.subarray(1)), code: "SIZE_MISMATCH" },
  { what: "it is too long", fault: withBody((bytes) => Buffer.concat([bytes, bytes])), code: "SIZE_MISMATCH" },
  {
    what: "its last byte is another, and its first entry is refused",
    of: refusedFirst,
    fault: otherAt(-1),
    code: "DIGEST_MISMATCH",
  },
  {
    what: "a byte in its middle is another, and its diffID is wrong",
    of: withOtherDiffID(),
    fault: otherAt(middle),
    code: "DIGEST_MISMATCH",
  },
  { what: "its first entry is refused", of: refusedFirst, fault: asItIs(), code: "ENTRY_REFUSED" },
  {
    what: "its diffID is wrong",
    of: withOtherDiffID(),
    fault: asItIs(),
    code: "DIFF_ID_MISMATCH",
  },
  { what: "it is half of what it was", of: cutShort(), fault: asItIs(), code: "CORRUPT_LAYER" },
];

for (const { what, of = sample, fault, code } of wrongs) {
  test(`whoever digests a layer, the error is the same if ${what}`, { timeout: 120_000 }, async () => {
    await using registry = await startRegistry();
    registry.always(new RegExp(`/blobs/${of.layers[1]?.descriptor.digest}`), fault);
    const [here, behind] = [await refused(registry, 1, of), await refused(registry, 4, of)];
    assert.equal((here as { readonly code: ErrorCode }).code, code);
    assert.deepEqual(behind, here);
  });
}

test("where there are threads for it, one digests blobs, which reads what is decompressed", {
  timeout: 120_000,
}, async () => {
  for (const threads of divisions) {
    await using place = await scratch();
    await using registry = await startRegistry();
    const readers = await readersDuring(() => unpacked(registry, place.directory, threads));
    assert.equal(readers, threads === 1 ? 1 : 2);
  }
});

test("a layer that two of them are, or that breaks off and is gone on with, is digested so, too", {
  timeout: 120_000,
}, async () => {
  await using place = await scratch();
  await using registry = await startRegistry();
  const twice = image([tar(largeFile), low, tar(largeFile)]);
  registry.next(new RegExp(`/blobs/${twice.layers[0]?.descriptor.digest}`), closeAfter(5_000_000));
  assert.equal(await readersDuring(() => unpacked(registry, place.directory, 4, twice)), 2);
});

test("an abort while a layer arrives ends it, whoever digests", { timeout: 120_000 }, async () => {
  for (const threads of divisions) {
    await using place = await scratch();
    await using registry = await startRegistry();
    registry.always(new RegExp(`/blobs/${sample.layers[1]?.descriptor.digest}`), hangAfter(8_000_000));
    const stop = new AbortController();
    const reason = new Error("enough");
    const onEvent = ({ type }: OciUnpackEvent) => {
      if (type === "layer-finished") stop.abort(reason);
    };
    const unpacking = unpacked(registry, place.directory, threads, sample, { signal: stop.signal, onEvent });
    await assert.rejects(unpacking, (error) => error === reason);
    assert.deepEqual(await readdir(place.directory), []);
  }
});

test("a limit that is exceeded ends it, although nobody tells the digest of what has come any more", {
  timeout: 120_000,
}, async () => {
  const zeros = image([tar(file("zeros", Buffer.alloc(3_000_000)))]);
  for (let attempt = 0; attempt < 5; attempt++) {
    await using place = await scratch();
    await using registry = await startRegistry();
    const unpacking = unpacked(registry, place.directory, 4, zeros, { limits: { fileBytes: 1_000_000 } });
    await assert.rejects(unpacking, { code: "LIMIT_EXCEEDED" });
    assert.deepEqual(await readdir(place.directory), []);
  }
});

function unpacked(
  registry: RegistryDouble,
  directory: string,
  threads: number,
  of: Image = sample,
  options: UnpackOptions = {},
): Promise<unknown> {
  const name = stored(registry, "some/image", of);
  return unpack(name, join(directory, "out"), { platform: "linux/amd64", threads, ...options });
}

/** What is told of an image that cannot be unpacked, of which nothing is left. */
async function refused(registry: RegistryDouble, threads: number, of: Image): Promise<object> {
  await using place = await scratch();
  try {
    await unpacked(registry, place.directory, threads, of);
  } catch (error) {
    assert.ok(isOciUnpackError(error), String(error));
    assert.deepEqual(await readdir(place.directory), []);
    const { code, message, hint, details } = error;
    return { code, message, hint, details };
  }
  throw new Error("it was unpacked");
}

/** How many threads read the compressed bytes of what is unpacked meanwhile. */
async function readersDuring(work: () => Promise<unknown>): Promise<number | undefined> {
  let readers: number | undefined;
  const listener = (message: unknown) => {
    readers = (message as { readonly compressed: ReturnType<typeof waitsOf> }).compressed.readers.length;
  };
  subscribe("oci-unpack:rings", listener);
  try {
    await work();
  } finally {
    unsubscribe("oci-unpack:rings", listener);
  }
  return readers;
}

function asItIs(): Fault {
  return (reply) => reply;
}

function otherAt(place: number): Fault {
  return withBody((bytes) => {
    const index = place < 0 ? bytes.length + place : place;
    return bytes.with(index, (bytes[index] ?? 0) ^ 1);
  });
}

/** An image of which nothing is compressed, so that only digests tell what is wrong. */
function withOtherDiffID(): Image {
  return image([low, tar(largeFile)], { encoding: "plain", diffIds: [digestOf(low), digestOf(low)] });
}

function cutShort(): Image {
  const archives = [low, tar(largeFile)];
  const { layers } = image(archives);
  const half = layers.map(({ descriptor, bytes }, index) =>
    blob(descriptor.mediaType, index === 1 ? bytes.subarray(0, bytes.length >> 1) : bytes),
  );
  return image(archives, { layers: half });
}
