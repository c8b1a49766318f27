import type { ByteString } from "../tar/byte-string.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

const nothing = byteStringOf("");
const rootPath = byteStringOf("./");
const none = { typeFlag: "", sizeBytes: 0, deviceMajor: 0, deviceMinor: 0, offset: 0, linkPath: nothing };

/** A directory of a tree, as an archive describes it. */
export function directoryEntry({ attributes, parent }: TreeDirectory, path: ByteString): Entry {
  const { mode, uid, gid, mtime, atime, xattrs } = attributes;
  const plain: Entry = {
    type: "directory",
    typeFlag: "",
    path: parent === undefined ? rootPath : path,
    linkPath: nothing,
    mode,
    uid,
    gid,
    mtime,
    sizeBytes: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    offset: 0,
  };
  if (atime === undefined && xattrs === undefined) return plain;
  return { ...plain, ...(atime !== undefined && { atime }), ...(xattrs !== undefined && { xattrs }) };
}

/** What is no directory, as an archive describes it. */
export function fileEntry(file: TreeFile, path: ByteString): Entry {
  const { type, mode, uid, gid, mtime, atime, xattrs, sizeBytes, segments, linkPath, deviceMajor, deviceMinor } = file;
  return {
    ...none,
    type,
    path,
    linkPath,
    mode,
    uid,
    gid,
    mtime,
    sizeBytes,
    deviceMajor,
    deviceMinor,
    ...(segments !== undefined && { segments }),
    ...(atime !== undefined && { atime }),
    ...(xattrs !== undefined && { xattrs }),
  };
}

/** A further name of a file. */
export function linkEntry({ mode, uid, gid, mtime }: TreeFile, path: ByteString, firstPath: ByteString): Entry {
  return { ...none, type: "hardlink", path, linkPath: firstPath, mode, uid, gid, mtime };
}
