import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import { MemoryBudget } from "../../src/base/memory-budget.ts";
import {
  diff,
  history,
  type ListResult,
  type LookOptions,
  list,
  type OciUnpackEvent,
  read,
  registrySource,
  store,
  storedSource,
  type UnpackOptions,
  unpack,
} from "../../src/index.ts";
import { checkedTable } from "../../src/table/check-table.ts";
import { tablePlace } from "../../src/table/table-place.ts";
import { TableRefused } from "../../src/table/table-refused.ts";
import { stored } from "../support/image.ts";
import { described, startRegistry } from "../support/registry-double.ts";
import { answer, type Fault } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import {
  chunkedLayer,
  type Distortion,
  type JsonEntry,
  stargzLayer,
  type TabledLayer,
  tabledImage,
} from "../support/tabled-layers.ts";
import { device, directory, fifo, file, hardlink, symlink } from "../support/tar-builder.ts";
import { sparseOldGnu } from "../support/tar-sparse.ts";
import { half } from "../support/thorough.ts";
import { readTree } from "../support/tree.ts";

/** Bytes that do not compress, the same each time. */
function noise(seed: number, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(String(seed)).digest();
}

const names = Array.from({ length: 16 }, (_, number) => `usr/share/f${number}`);
const small = noise(99, 10_000);

/** All kinds of files, and many of one size. */
function filesOf(size: number): readonly Uint8Array[] {
  return [
    directory("etc", { xattrs: { "user.a": "b" } }),
    file("etc/small", small, { uid: 7, gid: 3_000_000, mode: 0o4755 }),
    file("etc/caf\u00e9", "a name beyond ASCII"),
    file("etc/empty"),
    symlink("etc/alias", "small"),
    hardlink("etc/link", "etc/small"),
    fifo("etc/queue"),
    device("etc/null", "character", [1, 3]),
    directory("usr/share"),
    ...names.map((name, number) => file(name, noise(number, size))),
    file("etc/.wh.gone"),
  ];
}

const members = filesOf(80_000);
/** Of which tables are made in no time. */
const fewBytes = filesOf(2000);

const makers = { eStargz: stargzLayer, "zstd:chunked": chunkedLayer } as const;
type Kind = keyof typeof makers;
const kinds: readonly Kind[] = ["eStargz", "zstd:chunked"];
/** Each kind is tried with some release of Node. */
const kindsByTurn = half(kinds);

/** A registry with an image whose upper layer has a table of contents. */
async function served(layers: readonly TabledLayer[]) {
  const registry = await startRegistry();
  const name = stored(registry, "a/b", tabledImage(layers));
  return {
    registry,
    name,
    layers: layers.map(({ blob }) => blob.descriptor.digest),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

async function listed(name: string, options: LookOptions = {}): Promise<ListResult> {
  return await list(name, "/", { platform: "linux/amd64", ...options, recursive: true, digest: true });
}

async function content(name: string, path: string, options: LookOptions = {}) {
  const reading = read(name, path, { platform: "linux/amd64", partial: true, ...options });
  const bytes = await buffer(reading);
  return { bytes, ...(await reading.result) };
}

const chunkedKey = "io.github.containers.zstd-chunked.";

function proofs({ verifiedLayers }: Pick<ListResult, "verifiedLayers">): readonly string[] | undefined {
  return verifiedLayers?.map(({ verified }) => verified);
}

for (const kind of kindsByTurn) {
  test(`${kind}: a listing, a history and a comparison by tables are those of the layers`, async () => {
    await using one = await served([makers[kind](members, { chunkBytes: 30_000 })]);
    const whole = await listed(one.name);
    const partial = await listed(one.name, { partial: true });
    assert.deepEqual(partial.entries, whole.entries);
    assert.deepEqual([proofs(partial), partial.readLayers], [["table"], 0]);
    assert.ok(partial.fetchedBytes < whole.fetchedBytes / 10, `${partial.fetchedBytes} of ${whole.fetchedBytes}`);
    const platform = "linux/amd64";
    const [one1, one2] = [
      await history(one.name, "etc/small", { platform }),
      await history(one.name, "etc/small", { platform, partial: true }),
    ];
    assert.deepEqual([one2.layers, one2.events, one2.now], [one1.layers, one1.events, one1.now]);
    assert.deepEqual(proofs(one2), ["table"]);
    await using other = await served([makers[kind]([...members.slice(0, -1), file("etc/new", "new")])]);
    const kinds: string[] = [];
    const comparison = diff(one.name, other.name, { platform, partial: true });
    for await (const difference of comparison) kinds.push(`${difference.kind} ${difference.path}`);
    assert.deepEqual(
      kinds.filter((each) => !each.includes("stargz.index.json")),
      ["added etc/new"],
    );
    assert.deepEqual(proofs((await comparison.result).to), ["table"]);
  });

  test(`${kind}: of a file only its chunks are read, in whatever pieces they come`, async () => {
    await using one = await served([makers[kind](members, { chunkBytes: 30_000, isShared: true })]);
    const alias = await content(one.name, "etc/alias");
    assert.equal(Buffer.compare(alias.bytes, small), 0);
    assert.ok(alias.fetchedBytes < 250_000, String(alias.fetchedBytes));
    assert.deepEqual(proofs(alias), ["table"]);
    assert.equal(Buffer.compare((await content(one.name, "usr/share/f15")).bytes, noise(15, 80_000)), 0);
    assert.equal((await content(one.name, "etc/caf\u00e9")).bytes.toString(), "a name beyond ASCII");
    assert.equal((await content(one.name, "etc/empty")).bytes.length, 0);
  });
}

const inList = (change: (entry: JsonEntry) => JsonEntry | readonly JsonEntry[]) => (entries: readonly JsonEntry[]) =>
  entries.flatMap(change);
const smallEntry = (more: JsonEntry) => inList((entry) => (entry.name === "etc/small" ? { ...entry, ...more } : entry));

/** What a table must not be, the kinds that can be so, and what is said of it. */
const refusals: readonly (readonly [name: string, kinds: readonly Kind[], distortion: Distortion, found: RegExp])[] = [
  [
    "names a file twice",
    ["eStargz", "zstd:chunked"],
    { entries: inList((entry) => (entry.name === "etc/queue" ? [entry, { ...entry, name: "./etc//queue/" }] : entry)) },
    /names "etc\/queue" twice/,
  ],
  [
    "has a chunk that overlaps the one before",
    ["zstd:chunked"],
    {
      entries: inList((entry) =>
        entry.name === "usr/share/f3" ? { ...entry, offset: Number(entry.offset) - 1000 } : entry,
      ),
    },
    /do not follow each other/,
  ],
  [
    "has a chunk before the one before it",
    ["eStargz"],
    { entries: smallEntry({ offset: 2_000_000 }) },
    /do not follow each other/,
  ],
  [
    "has chunks that are not all of the file",
    ["eStargz", "zstd:chunked"],
    { chunkBytes: 500, entries: inList((entry) => (entry.chunkOffset === 1000 ? [] : entry)) },
    /not all of it/,
  ],
  [
    "has a chunk where the table is",
    ["zstd:chunked"],
    { entries: inList((entry) => (entry.name === "usr/share/f15" ? { ...entry, endOffset: 9_000_000 } : entry)) },
    /do not follow each other/,
  ],
  [
    "has a file without a digest",
    ["eStargz", "zstd:chunked"],
    { entries: smallEntry({ digest: "" }) },
    /without a digest/,
  ],
  [
    "has a file that the archive has not",
    ["zstd:chunked"],
    { entries: (entries) => [...entries, { type: "dir", name: "etc/more", modtime: "2001-09-09T01:46:40Z" }] },
    /more entries than the archive/,
  ],
  [
    "leaves out a file that the archive has",
    ["zstd:chunked"],
    { entries: inList((entry) => (entry.name === "etc/.wh.gone" ? [] : entry)) },
    /what the archive does/,
  ],
  ...Object.entries({ mode: 0o755, uid: 0, size: 9999, modtime: "2001-09-09T01:46:41Z", xattrs: { "user.c": "" } }).map(
    ([member, value]) =>
      [
        `tells another ${member} than the archive`,
        ["zstd:chunked"],
        { entries: smallEntry({ [member]: value }) },
        /what the archive does|not all of it/,
      ] as const,
  ),
  [
    "has a member twice, in another case",
    ["eStargz", "zstd:chunked"],
    { entries: smallEntry({ Mode: 0 }) },
    /a member "Mode"/,
  ],
  ["is of another version", ["eStargz", "zstd:chunked"], { document: { version: 2 } }, /another version/],
  [
    "has two lists",
    ["eStargz", "zstd:chunked"],
    { text: (text) => text.replace(/\}$/, ',"entries":[]}') },
    /more than its one list/,
  ],
  [
    "is nested too deep",
    ["eStargz", "zstd:chunked"],
    { entries: smallEntry({ more: [[[[[[[]]]]]]] }) },
    /nested too deep/,
  ],
  [
    "has an entry of more than 4 MiB",
    ["eStargz", "zstd:chunked"],
    { entries: smallEntry({ more: "x".repeat(4_200_000) }) },
    /an entry that is too long/,
  ],
  [
    "comes with a tar-split that has such a line",
    ["zstd:chunked"],
    { tarSplit: (lines) => ["x".repeat(4_400_000), ...lines] },
    /a line that is too long/,
  ],
  ["does not name the tar-split", ["zstd:chunked"], { document: { tarSplitDigest: undefined } }, /not of the headers/],
  [
    "names another tar-split",
    ["zstd:chunked"],
    { document: { tarSplitDigest: `sha256:${"0".repeat(64)}` } },
    /not of the headers/,
  ],
  [
    "is one of two",
    ["eStargz"],
    { annotations: (own) => ({ ...own, "io.github.containers.zstd-chunked.manifest-checksum": "" }) },
    /has two/,
  ],
  [
    "is behind the end of the layer",
    ["zstd:chunked"],
    { annotations: (own) => ({ ...own, "io.github.containers.zstd-chunked.manifest-position": "90000000:10:10:1" }) },
    /said to be at byte/,
  ],
  [
    "comes with a tar-split that ends too early",
    ["zstd:chunked"],
    { tarSplit: (lines) => lines.slice(0, 4) },
    /more entries than the archive/,
  ],
];

function inPieces(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, n) =>
    bytes.subarray(n * 65_536, (n + 1) * 65_536),
  );
}

/** What is wrong with the table of a layer. */
function refusalOf({ blob, table }: TabledLayer, limits: Limits = defaultLimits): string {
  try {
    tablePlace({ ...described(blob.descriptor), annotations: blob.annotations });
    const streams = table.parts.flatMap((part) => [...inPieces(part), undefined]);
    checkedTable({ read: () => streams.shift() }, table, { limits, memory: new MemoryBudget(limits) });
    return "nothing";
  } catch (error) {
    if (error instanceof TableRefused) return error.message;
    throw error;
  }
}

test("a table that breaks a rule is refused", () => {
  for (const kind of kinds) assert.equal(refusalOf(makers[kind](fewBytes)), "nothing");
  for (const [name, ofKinds, distortion, found] of refusals)
    for (const kind of ofKinds) assert.match(refusalOf(makers[kind](fewBytes, distortion)), found, `${kind} ${name}`);
  const holes = sparseOldGnu("etc/holes", { size: 512, runs: [{ offset: 0, content: "x".repeat(512) }] });
  assert.match(refusalOf(chunkedLayer([holes])), /has holes/);
  const layer = stargzLayer(fewBytes);
  const table = { ...layer.table, digest: "0".repeat(64) };
  assert.match(refusalOf({ ...layer, table }), /the manifest says otherwise/);
});

test("a table larger than allowed is refused, by its bytes and by its entries", () => {
  for (const kind of kinds) {
    const layer = makers[kind](members, { chunkBytes: 30_000 });
    assert.match(
      refusalOf(layer, { ...defaultLimits, tableBytes: 10_000 }),
      /10000 bytes that are allowed \(tableBytes\)/,
    );
    assert.match(
      refusalOf(layer, { ...defaultLimits, tableEntries: 40 }),
      /40 entries that are allowed \(tableEntries\)/,
    );
    assert.match(refusalOf(layer, { ...defaultLimits, totalBytes: 1_000_000 }), /archive has more than 1000000 bytes/);
  }
});

test("a table larger than allowed, or of parts that lie far from each other, is not asked for", async () => {
  const chunkBytes = 30_000;
  const far = { [`${chunkedKey}tarsplit-position`]: "0:10:10" };
  const cases: readonly (readonly [Kind, Distortion, tableBytes: number, found: RegExp])[] = [
    ["eStargz", { chunkBytes }, 1000, /1000 are allowed \(tableBytes\)/],
    ["zstd:chunked", { chunkBytes }, 1000, /1000 are allowed \(tableBytes\)/],
    ["zstd:chunked", { annotations: (own) => ({ ...own, ...far }) }, 100_000, /far from each other/],
  ];
  for (const [kind, distortion, tableBytes, warning] of cases) {
    await using one = await served([makers[kind](members, distortion)]);
    const warnings: string[] = [];
    const onEvent = (event: OciUnpackEvent) => {
      if (event.type === "warning") warnings.push(event.message);
    };
    const found = await content(one.name, "etc/small", { limits: { tableBytes }, onEvent });
    assert.deepEqual(proofs(found), ["layer"]);
    assert.match(warnings.join(), warning);
    const ranges = one.registry.requests.flatMap(({ headers }) => headers.range ?? []);
    assert.equal(ranges.length, kind === "eStargz" ? 1 : 0, "of eStargz the footer");
  }
});

test("what is remembered of a table counts as memory: its names, its chunks and the index", () => {
  const directories = Array.from({ length: 500 }, (_, number) => directory(`${number}`.padStart(90, "d")));
  const attributed = Array.from({ length: 20 }, (_, number) =>
    directory(`${number}`, { xattrs: { "user.a": noise(number, 1000).toString("hex") } }),
  );
  const cases: readonly (readonly [what: string, layer: readonly Uint8Array[], chunkBytes: number, memory: number])[] =
    [
      ["names", directories, 2 ** 20, 50_000],
      ["chunks", [file("large", noise(1, 300_000))], 1000, 20_000],
      ["tables", attributed, 2 ** 20, 10_000],
    ];
  for (const kind of kinds)
    for (const [what, layer, chunkBytes, memoryBytes] of cases)
      assert.throws(
        () => refusalOf(makers[kind](layer, { chunkBytes }), { ...defaultLimits, memoryBytes }),
        (error: Error) => error.message.includes(`cannot remember the image's ${what}: `),
        `${kind}: ${what}`,
      );
});

test("where a table was refused the layer is read in its stead, and it is told why", async () => {
  const distortions: readonly (readonly [Kind, Distortion])[] = [
    ["eStargz", { entries: smallEntry({ digest: "" }) }],
    [
      "zstd:chunked",
      { annotations: (own) => ({ ...own, "containerd.io/snapshot/stargz/toc.digest": own.nothing ?? "" }) },
    ],
    [
      "zstd:chunked",
      { annotations: (own) => ({ ...own, [`${chunkedKey}manifest-checksum`]: `sha256:${"0".repeat(64)}` }) },
    ],
    ["zstd:chunked", { document: { version: 2 } }],
  ];
  for (const [kind, distortion] of half(distortions)) {
    await using one = await served([makers[kind](members, distortion)]);
    const warnings: string[] = [];
    const onEvent = (event: OciUnpackEvent) => {
      if (event.type === "warning") warnings.push(`${event.code} ${event.message}`);
    };
    const found = await content(one.name, "etc/small", { onEvent });
    assert.equal(Buffer.compare(found.bytes, small), 0);
    assert.deepEqual(proofs(found), ["layer"], kind);
    assert.match(warnings.join(), /^TABLE_REFUSED the table of contents of layer 1 is not used: [^,]+/);
    assert.equal(warnings.length, 1);
  }
});

test("a file that is not what the table says is read out of the whole layer", async () => {
  const another = createHash("sha256").update("something else").digest("hex");
  for (const kind of half(kinds, 1)) {
    for (const member of ["digest", "chunkDigest"]) {
      await using one = await served([
        makers[kind](members, { entries: smallEntry({ [member]: `sha256:${another}` }) }),
      ]);
      const found = await content(one.name, "etc/small");
      assert.equal(Buffer.compare(found.bytes, small), 0);
      assert.deepEqual(proofs(found), ["layer"], `${kind} ${member}`);
    }
  }
});

test("a registry that sends no parts of blobs is asked for the whole layer, also where it stops to send them", async () => {
  const ranged: Fault = (reply, request) =>
    request.headers.range === undefined ? reply : answer(200, {}, "not a part")(reply, request);
  for (const honest of [0, 1]) {
    await using one = await served([chunkedLayer(members)]);
    const path = new RegExp(`blobs/${one.layers[0]}`);
    if (honest > 0) one.registry.next(path, (reply) => reply, honest);
    one.registry.always(path, ranged);
    const found = await content(one.name, "etc/small");
    assert.equal(Buffer.compare(found.bytes, small), 0);
    assert.deepEqual(proofs(found), ["layer"], `${honest} parts before`);
  }
});

test("a layer of which more than half is needed, or whose table is more than a tenth of it, is read whole", async () => {
  const large = [file("large", noise(1, 2_000_000)), file("other", noise(2, 900_000))];
  await using one = await served([chunkedLayer(large)]);
  const most = await content(one.name, "large");
  assert.deepEqual([Buffer.compare(most.bytes, noise(1, 2_000_000)), proofs(most)], [0, ["layer"]]);
  assert.deepEqual(proofs(await content(one.name, "other")), ["table"]);
  await using tiny = await served([chunkedLayer([file("a", "b")])]);
  assert.deepEqual(proofs(await content(tiny.name, "a")), ["layer"]);
});

test("the index in a store goes before a table, and no part of a blob is stored as one", async () => {
  await using place = await scratch();
  await using one = await served([chunkedLayer(members)]);
  await using source = storedSource(registrySource(), store(place.directory));
  assert.deepEqual(proofs(await content(one.name, "etc/small", { source })), ["table"]);
  const blobs = await readdir(join(place.directory, "blobs", "sha256"));
  assert.ok(!blobs.some((name) => name === one.layers[0]?.slice("sha256:".length)));
  await listed(one.name, { source });
  const before = one.registry.requests.length;
  assert.deepEqual(proofs(await content(one.name, "etc/small", { source })), ["layer"]);
  assert.equal(one.registry.requests.slice(before).filter(({ path }) => path.includes(one.layers[0] ?? "?")).length, 0);
});

test("`strict` refuses tables, and what is unpacked whole is read whole", async () => {
  await using place = await scratch();
  await using one = await served([chunkedLayer(members)]);
  await assert.rejects(list(one.name, "/", { partial: true, strict: true }), { code: "INVALID_OPTION" });
  const result = await unpack(one.name, join(place.directory, "all"), {
    platform: "linux/amd64",
    partial: true,
    sandbox: "prefer",
  });
  assert.deepEqual(proofs(result), ["layer"]);
  assert.ok(!one.registry.requests.some(({ headers }) => headers.range !== undefined));
});

/** Unpacks a part of an image, and gives what it is. */
async function unpackedPart(name: string, include: readonly string[], options: UnpackOptions = {}) {
  await using place = await scratch();
  const target = join(place.directory, "part");
  const chosen = { platform: "linux/amd64", include, sandbox: "prefer", ...options } as const;
  const result = await unpack(name, target, { ...chosen, owner: "ignore" });
  return { result, tree: await readTree(join(target, "rootfs")) };
}

test("of a part of an image the bytes of its files are fetched, and their tables", async () => {
  for (const kind of half(kinds, 1)) {
    const upper = makers[kind]([file("etc/new", noise(50, 5000)), ...filesOf(60_000).slice(9)]);
    await using one = await served([makers[kind](members, { isShared: true, chunkBytes: 30_000 }), upper]);
    const include = ["etc", "usr/share/f1", "usr/share/f15"];
    const whole = await unpackedPart(one.name, include);
    const before = one.registry.requests.length;
    const part = await unpackedPart(one.name, include, { partial: true });
    assert.deepEqual(part.tree, whole.tree, kind);
    assert.deepEqual(proofs(part.result), ["table", "table"]);
    const { keptEntries, entries } = whole.result;
    assert.deepEqual([part.result.keptEntries, part.result.entries], [keptEntries, entries]);
    assert.ok(part.result.downloadedBytes < 600_000, String(part.result.downloadedBytes));
    const ranged = one.registry.requests
      .slice(before)
      .filter(({ path }) => one.layers.some((layer) => path.includes(layer)));
    assert.ok(ranged.every(({ headers }) => headers.range !== undefined));
  }
});

test("where a part cannot be read by a table the layer is read whole, and nothing is told twice", async () => {
  const another = `sha256:${createHash("sha256").update("something else").digest("hex")}`;
  const cases: readonly (readonly [Distortion, readonly string[]])[] = [
    [{ entries: smallEntry({ digest: another, chunkDigest: "" }) }, ["etc"]],
    [{}, ["usr"]],
  ];
  for (const [distortion, include] of cases) {
    const odd = [...members, file("etc/.wh..wh.orph/x", "reserved")];
    await using one = await served([
      chunkedLayer([file("etc/below", noise(51, 300_000))]),
      chunkedLayer(odd, distortion),
    ]);
    const whole = await unpackedPart(one.name, include);
    const part = await unpackedPart(one.name, include, { partial: true });
    assert.deepEqual(part.tree, whole.tree);
    assert.equal(proofs(part.result)?.at(-1), "layer");
    assert.deepEqual([part.result.skipped, part.result.warnings], [whole.result.skipped, whole.result.warnings]);
  }
});
