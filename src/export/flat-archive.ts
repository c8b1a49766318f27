import type { ContentFile } from "../blob/content-file.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { type ArchivedFile, encodedHeader, endMarkerBytes, paddingBytes } from "../tar/encoder.ts";
import { segmentsInBlocks } from "../tar/sparse-map.ts";
import { type Item, inOrder } from "../tree/in-order.ts";
import { everything, type Selection } from "../tree/selection.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";
import type { ArchiveSink } from "../worker/outlet.ts";

const nothing = "" as ByteString;

/** What of a tree goes into an archive, and how it is changed. */
export interface FlatArchiveOptions {
  /** Changes the header of a file. It may leave out `segments`, so that holes are filled. Default: changes nothing. */
  readonly fit: (file: ArchivedFile, layer: number) => ArchivedFile;
  /** Which part of the tree is written. Default: all of it. */
  readonly wanted: Selection;
}

/**
 * Writes a tree as one archive and returns the number of its entries. The root comes first, then everything in the
 * order of the tree. The same tree always makes the same bytes.
 *
 * The order matters: GNU tar sets the time of a directory as soon as an entry outside of it comes.
 */
export function writeFlatArchive(
  root: TreeDirectory,
  contents: ContentFile,
  sink: ArchiveSink,
  { fit = (file) => file, wanted = everything }: Partial<FlatArchiveOptions> = {},
): number {
  let entries = 0;
  for (const item of inOrder(root, nothing, { wanted })) {
    const archived = fit(archivedFile(item), (item.file ?? item.directory).origin);
    sink.write(encodedHeader(archived));
    entries += 1;
    if (item.file === undefined || archived.type !== "file") continue;
    const dataBytes = writeData(item.file, archived, contents, sink);
    sink.fill(paddingBytes(dataBytes));
  }
  sink.fill(endMarkerBytes);
  return entries;
}

function archivedFile(item: Item): ArchivedFile {
  return item.file === undefined
    ? archivedDirectory(item.path, item.directory)
    : archivedLeaf(item.path, item.file, item.firstPath);
}

function archivedDirectory(path: ByteString, { attributes }: TreeDirectory): ArchivedFile {
  const { mode, uid, gid, mtime, atime, xattrs } = attributes;
  return {
    type: "directory",
    path: path === "" ? byteStringOf("./") : (`${path}/` as ByteString),
    linkPath: nothing,
    mode,
    uid,
    gid,
    mtime,
    sizeBytes: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    ...(atime !== undefined && { atime }),
    ...(xattrs !== undefined && { xattrs }),
  };
}

function archivedLeaf(path: ByteString, file: TreeFile, firstPath: ByteString | undefined): ArchivedFile {
  const { type, mode, uid, gid, mtime, atime, xattrs, sizeBytes, segments, linkPath, deviceMajor, deviceMinor } = file;
  const common = { path, mode, uid, gid, mtime };
  if (firstPath !== undefined) {
    return { type: "hardlink", ...common, linkPath: firstPath, sizeBytes: 0, deviceMajor: 0, deviceMinor: 0 };
  }
  return {
    type,
    ...common,
    linkPath,
    sizeBytes,
    deviceMajor,
    deviceMinor,
    ...(segments !== undefined && { segments: segmentsInBlocks(segments, sizeBytes) }),
    ...(atime !== undefined && { atime }),
    ...(xattrs !== undefined && { xattrs }),
  };
}

/** Writes the data of a file and returns how many bytes they are. */
function writeData(file: TreeFile, archived: ArchivedFile, contents: ContentFile, sink: ArchiveSink): number {
  if (file.segments !== undefined) {
    return writeSegments(file, archived.segments ?? [{ offset: 0, length: file.sizeBytes }], contents, sink);
  }
  sink.copy(contents, file.content, file.sizeBytes);
  return file.sizeBytes;
}

/** Writes the data of a sparse file. `runs` are its segments, maybe made longer, which adds zeros. */
function writeSegments(
  { content, segments = [] }: TreeFile,
  runs: NonNullable<ArchivedFile["segments"]>,
  contents: ContentFile,
  sink: ArchiveSink,
): number {
  let dataBytes = 0;
  let offsetInContents = content;
  const ahead = segments.toReversed();
  for (const run of runs) {
    const end = run.offset + run.length;
    let at = run.offset;
    for (let next = ahead.at(-1); next !== undefined && next.offset < end; next = ahead.at(-1)) {
      sink.fill(next.offset - at);
      sink.copy(contents, offsetInContents, next.length);
      offsetInContents += next.length;
      at = next.offset + next.length;
      ahead.pop();
    }
    sink.fill(end - at);
    dataBytes += run.length;
  }
  return dataBytes;
}
