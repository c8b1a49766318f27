import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { defaultLimits } from "../../src/base/limits.ts";
import type { ExpectedTable } from "../../src/table/check-table.ts";
import { textOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { Entry } from "../../src/tar/entry.ts";
import { type Blob, blob, type Image, image } from "./image.ts";
import { file, tar, tarWithoutEnd } from "./tar-builder.ts";

/** An entry of a table of contents as JSON has it. */
export type JsonEntry = Readonly<Record<string, unknown>>;

/** What is otherwise than the tools would write it. */
export interface Distortion {
  readonly entries?: (entries: readonly JsonEntry[]) => readonly JsonEntry[];
  /** The members of the table besides its entries. */
  readonly document?: object;
  /** The whole text of the table. */
  readonly text?: (text: string) => string;
  readonly tarSplit?: (lines: readonly string[]) => readonly string[];
  readonly annotations?: (annotations: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Changes the bytes of the layer after all digests but its own have been made. */
  readonly bytes?: (bytes: Buffer) => Buffer;
  /** How many bytes a chunk has. Default: a mebibyte. */
  readonly chunkBytes?: number;
  /** Whether eStargz files lie together in what is decompressed at once. */
  readonly isShared?: boolean;
}

/** A layer that has a table of contents, and the archive that it is. */
export interface TabledLayer {
  readonly blob: Blob & { readonly annotations: Readonly<Record<string, string>> };
  readonly archive: Uint8Array;
  /** What is read of the table: what it has to be, and its parts, decompressed. */
  readonly table: ExpectedTable & { readonly parts: readonly Uint8Array[] };
}

/** An image of such layers. */
export function tabledImage(layers: readonly TabledLayer[]): Image {
  return image(
    layers.map(({ archive }) => archive),
    { layers: layers.map(({ blob }) => blob) },
  );
}

const types: Readonly<Record<string, string>> = {
  file: "reg",
  directory: "dir",
  symlink: "symlink",
  hardlink: "hardlink",
  fifo: "fifo",
  "character-device": "char",
  "block-device": "block",
};

/** Takes the place of a compressor: what comes between two calls of `restart` is decompressed by itself. */
interface Sections {
  readonly length: number;
  restart(): void;
  add(bytes: Uint8Array): void;
  /** How much has come since the last restart. */
  readonly innerOffset: number;
}

class Compressed implements Sections {
  readonly parts: Buffer[] = [];
  length = 0;
  #pending: Uint8Array[] = [];
  readonly #compress: (bytes: Buffer) => Buffer;

  constructor(compress: (bytes: Buffer) => Buffer) {
    this.#compress = compress;
  }

  get innerOffset(): number {
    return this.#pending.reduce((sum, { length }) => sum + length, 0);
  }

  restart(): void {
    if (this.innerOffset > 0) this.addRaw(this.#compress(Buffer.concat(this.#pending)));
    this.#pending = [];
  }

  add(bytes: Uint8Array): void {
    this.#pending.push(bytes);
  }

  addRaw(bytes: Buffer): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }
}

interface Member {
  readonly entry: Entry;
  readonly dataStart: number;
}

function membersOf(archive: Uint8Array): readonly Member[] {
  const once = [archive];
  const decoder = new TarDecoder({ read: () => once.pop() }, { limits: defaultLimits, strict: true, warning() {} });
  const members: Member[] = [];
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next())
    members.push({ entry, dataStart: decoder.offset });
  return members;
}

function factsOf({ type, path, linkPath, mode, uid, gid, sizeBytes, mtime, xattrs, ...entry }: Entry): JsonEntry {
  const time = new Date(mtime.seconds * 1000).toISOString().slice(0, -5);
  const fraction = mtime.nanoseconds === 0 ? "" : `.${String(mtime.nanoseconds).padStart(9, "0")}`;
  const isDevice = type.endsWith("device");
  return {
    type: types[type],
    name: textOf(path),
    ...(linkPath !== "" && { linkName: textOf(linkPath) }),
    mode,
    ...(uid !== 0 && { uid }),
    ...(gid !== 0 && { gid }),
    ...(sizeBytes !== 0 && { size: sizeBytes }),
    modtime: `${time}${fraction}Z`,
    ...(isDevice && { devMajor: entry.deviceMajor, devMinor: entry.deviceMinor }),
    ...(xattrs !== undefined && {
      xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")])),
    }),
  };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Writes the data of a file in chunks, and gives their entries. */
function chunked(
  facts: JsonEntry,
  data: Uint8Array,
  out: Sections,
  { chunkBytes = 2 ** 20, isShared = false }: Distortion,
) {
  const entries: Record<string, unknown>[] = [];
  for (let at = 0; at < data.length; at += chunkBytes) {
    const piece = data.subarray(at, at + chunkBytes);
    const staysInside = isShared && out.innerOffset < 100_000 && entries.length === 0 && out.length > 0;
    if (!staysInside) out.restart();
    const [offset, innerOffset] = staysInside ? [lastStart(out), out.innerOffset] : [out.length, 0];
    starts.set(out, offset);
    const chunk = {
      ...(at === 0 ? facts : { type: "chunk", name: facts.name, chunkOffset: at }),
      offset,
      ...(innerOffset > 0 && { innerOffset }),
      ...(at === 0 && { digest: sha256(data) }),
      ...(data.length > chunkBytes && { chunkSize: piece.length }),
      chunkDigest: sha256(piece),
    };
    entries.push(chunk);
    out.add(piece);
  }
  return entries;
}

const starts = new WeakMap<Sections, number>();

function lastStart(out: Sections): number {
  return starts.get(out) ?? 0;
}

/** A layer as eStargz has it (github.com/containerd/stargz-snapshotter, docs/estargz.md). */
export function stargzLayer(members: readonly Uint8Array[], distortion: Distortion = {}): TabledLayer {
  const archive = Buffer.from(tarWithoutEnd(...members));
  const out = new Compressed((bytes) => gzipSync(bytes));
  const entries: JsonEntry[] = [];
  let cursor = 0;
  for (const { entry, dataStart } of membersOf(tar(...members))) {
    out.add(archive.subarray(cursor, dataStart));
    cursor = dataStart + entry.sizeBytes;
    const facts = factsOf(entry);
    if (entry.sizeBytes === 0) entries.push(facts);
    else entries.push(...chunked(facts, archive.subarray(dataStart, cursor), out, distortion));
  }
  out.add(archive.subarray(cursor));
  out.restart();
  const { entries: change = (same) => same, text: retell = (same) => same, document } = distortion;
  const json = Buffer.from(
    retell(JSON.stringify({ version: 1, entries: change(entries), ...document }, undefined, "\t")),
  );
  const tail = tar(file("stargz.index.json", json));
  const offset = out.length;
  out.addRaw(gzipSync(tail));
  out.addRaw(footer(offset));
  const annotations = { "containerd.io/snapshot/stargz/toc.digest": sha256(json) };
  const table: TabledLayer["table"] = {
    kind: "eStargz",
    digest: sha256(json).slice("sha256:".length),
    tarSplitDigest: undefined,
    dataEnd: offset,
    tableEnd: out.length - footerBytes,
    parts: [tail],
  };
  return { ...finished(out, "gzip", distortion, annotations), archive: Buffer.concat([archive, tail]), table };
}

const footerBytes = 51;

function footer(offset: number): Buffer {
  const bytes = Buffer.from("1f8b08040000000000ff1a0053471600", "hex");
  const text = `${offset.toString(16).padStart(16, "0")}STARGZ`;
  return Buffer.concat([bytes, Buffer.from(text, "latin1"), Buffer.from("010000ffff0000000000000000", "hex")]);
}

/** A layer as zstd:chunked has it (github.com/containers/storage, pkg/chunked), its frames stored without compression. */
export function chunkedLayer(members: readonly Uint8Array[], distortion: Distortion = {}): TabledLayer {
  const archive = Buffer.from(tar(...members));
  const out = new Compressed(rawFrame);
  const entries: JsonEntry[] = [];
  const lines: string[] = [];
  const line = (value: object) => lines.push(JSON.stringify({ ...value, position: lines.length }));
  const segment = (bytes: Buffer) => {
    line({ type: 2, payload: bytes.toString("base64") });
    out.add(bytes);
  };
  let cursor = 0;
  for (const { entry, dataStart } of membersOf(archive)) {
    segment(archive.subarray(cursor, dataStart));
    cursor = dataStart + entry.sizeBytes;
    line({
      type: 1,
      name: textOf(entry.path),
      ...(entry.sizeBytes > 0 && { size: entry.sizeBytes }),
      payload: "AAAAAAAAAAA=",
    });
    const facts = factsOf(entry);
    if (entry.sizeBytes === 0) {
      entries.push(facts);
      continue;
    }
    const [first, ...rest] = chunked(facts, archive.subarray(dataStart, cursor), out, {
      ...distortion,
      isShared: false,
    });
    out.restart();
    entries.push({ ...first, endOffset: out.length }, ...rest);
  }
  segment(archive.subarray(cursor));
  out.restart();
  const { entries: change = (same) => same, text: retell = (same) => same, tarSplit = (same) => same } = distortion;
  const splitLines = Buffer.from(`${tarSplit(lines).join("\n")}\n`);
  const split = rawFrame(splitLines);
  const document = { version: 1, entries: change(entries), tarSplitDigest: sha256(split), ...distortion.document };
  const json = Buffer.from(retell(JSON.stringify(document)));
  const table = rawFrame(json);
  const annotations: Record<string, string> = {};
  const key = "io.github.containers.zstd-chunked.";
  annotations[`${key}manifest-checksum`] = sha256(table);
  annotations[`${key}manifest-position`] = `${out.length + 8}:${table.length}:${json.length}:1`;
  const dataEnd = out.length + 8;
  out.addRaw(skippable(table));
  annotations[`${key}tarsplit-position`] = `${out.length + 8}:${split.length}:${splitLines.length}`;
  out.addRaw(skippable(split));
  out.addRaw(skippable(Buffer.alloc(64)));
  const known: TabledLayer["table"] = {
    kind: "zstd:chunked",
    digest: undefined,
    tarSplitDigest: sha256(split).slice("sha256:".length),
    dataEnd,
    tableEnd: dataEnd,
    parts: [json, splitLines],
  };
  return { ...finished(out, "zstd", distortion, annotations), archive, table: known };
}

function finished(
  out: Compressed,
  compression: "gzip" | "zstd",
  { annotations: change = (same) => same, bytes: damaged = (same) => same }: Distortion,
  own: Readonly<Record<string, string>>,
): Pick<TabledLayer, "blob"> {
  const made = blob(`application/vnd.oci.image.layer.v1.tar+${compression}`, damaged(Buffer.concat(out.parts)));
  const annotations = change(own);
  return { blob: { ...made, annotations, descriptor: { ...made.descriptor, ...{ annotations } } } };
}

const mostBlockBytes = 128 * 1024;

/** A zstd frame with stored blocks (RFC 8878, section 3.1.1). */
function rawFrame(bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]);
  const blocks: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += mostBlockBytes) {
    const piece = bytes.subarray(at, at + mostBlockBytes);
    const isLast = at + mostBlockBytes >= bytes.length;
    const head = Buffer.alloc(3);
    head.writeUIntLE((piece.length << 3) | Number(isLast), 0, 3);
    blocks.push(head, piece);
  }
  return Buffer.concat([header, ...blocks]);
}

function skippable(bytes: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}
