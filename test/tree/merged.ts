import { Buffer } from "node:buffer";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import type { SkipReason, WarningCode } from "../../src/base/events.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { type Attributes, Directory } from "../../src/layer/directory.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { byteString } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { ByteSource, Segment } from "../../src/tar/entry.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { fileOf, type TreeDirectory, type TreeFile, type TreeNode } from "../../src/tree/tree-file.ts";
import { sourceOf } from "../model/archive.ts";
import { contentOf, type Item, type Listing, listingOf, modeOf, timeOf } from "../model/listing.ts";
import type { Application, Applied } from "../rules/apply.ts";

/** Merges uncompressed layers in memory and tells what came of it in the words in which a real directory is told of. */
export function merged(layers: readonly Uint8Array[], application: Application = {}): Applied {
  const warnings = new Set<WarningCode>();
  const skipped = new Set<SkipReason>();
  const notes = () => ({ warnings: [...warnings].sort(), skipped: [...skipped].sort() });
  try {
    return { outcome: listingFrom(layers, application, { warnings, skipped }), ...notes() };
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
    return { outcome: error.code as ErrorCode, message: error.message, ...notes() };
  }
}

interface Notes {
  readonly warnings: Set<WarningCode>;
  readonly skipped: Set<SkipReason>;
}

function listingFrom(layers: readonly Uint8Array[], application: Application, notes: Notes): Listing {
  const { strict = false, options } = application;
  const limits = { ...defaultLimits, ...application.limits };
  const warning = (code: WarningCode) => void notes.warnings.add(code);
  const reporter = { warning, skipped: (_path: unknown, reason: SkipReason) => void notes.skipped.add(reason) };
  const settings = applySettings({ ...options, strict, limits });
  const tree = new MergedTree(settings, reporter);
  const contents: string[] = [];
  for (const [index, layer] of layers.entries()) {
    const decoder = new TarDecoder(sourceOf(layer), { limits, strict, warning });
    const merge = tree.beginLayer(index, (_entry, body) => contents.push(dataOf(body)) - 1);
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) merge.apply(entry, decoder);
    merge.end();
  }
  return listed(tree.root, (file) => (file.sizeBytes === 0 ? "" : expanded(contents[file.content] ?? "", file)));
}

function listed(root: TreeDirectory, content: (file: TreeFile) => string): Listing {
  const files = new Map<string, { item: Item; identity: unknown }>();
  const visit = (path: string, node: TreeNode): void => {
    const identity = node instanceof Directory ? node : fileOf(node);
    files.set(path, { item: itemOf(identity, content), identity });
    if (!(node instanceof Directory)) return;
    for (const [name, child] of node.children()) visit(path === "." ? name : `${path}/${name}`, child);
  };
  visit(".", root);
  return listingOf(files);
}

function itemOf(node: TreeDirectory | TreeFile, content: (file: TreeFile) => string): Item {
  if (node instanceof Directory)
    return { type: "directory", mode: modeOf(node.attributes.mode), ...shared(node.attributes) };
  const { type, mode, linkPath, deviceMajor, deviceMinor } = node;
  return {
    type,
    mode: type === "symlink" ? "-" : modeOf(mode),
    ...shared(node),
    ...(type === "file" && { content: contentOf(content(node)) }),
    ...(type === "symlink" && { target: linkPath }),
    ...(type.endsWith("device") && { device: `${deviceMajor}:${deviceMinor}` }),
  };
}

function shared({ uid, gid, mtime, xattrs = new Map() }: Attributes): Pick<Item, "owner" | "mtime" | "xattrs"> {
  const values = [...xattrs].map(([name, value]) => [name, byteString(value)] as const);
  return {
    owner: `${uid}:${gid}`,
    mtime: timeOf(mtime.seconds, mtime.nanoseconds),
    xattrs: Object.fromEntries(values.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

function dataOf(source: ByteSource): string {
  const pieces: Buffer[] = [];
  for (let piece = source.read(); piece !== undefined; piece = source.read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("latin1");
}

/** A sparse file with its holes filled. */
function expanded(data: string, { sizeBytes, segments }: TreeFile): string {
  if (segments === undefined) return data;
  const bytes = Buffer.alloc(sizeBytes);
  let taken = 0;
  for (const { offset, length } of segments as readonly Segment[]) {
    bytes.write(data.slice(taken, taken + length), offset, "latin1");
    taken += length;
  }
  return bytes.toString("latin1");
}
