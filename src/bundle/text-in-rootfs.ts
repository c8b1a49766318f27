import { OciUnpackError } from "../base/errors.ts";
import { readSome } from "../linux/content.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import { findInRoot, openFound } from "../linux/in-root.ts";
import { statOf } from "../linux/stat.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { byteStringOf } from "../tar/byte-string.ts";

/** More than any real passwd or group file has. */
const mostBytes = 4 * 1024 * 1024;

/**
 * The text of a file in a root filesystem, which is not trusted; empty if there is no such file.
 *
 * Symlinks are followed within that filesystem only. Anything but a regular file of reasonable size is an error
 * (CVE-2024-9676, CVE-2026-47262).
 */
export function textInRootfs(rootfs: string, path: string): string {
  const directory = openDirectoryPath(rootfs);
  try {
    const descriptor = findInRoot(directory, byteStringOf(path));
    if (descriptor === -errnos.ENOENT || descriptor === -errnos.ENOTDIR) return "";
    if (descriptor < 0)
      throw new SystemError(`read "${path}" in the image`, `openat2("${path}", O_PATH, RESOLVE_IN_ROOT)`, -descriptor);
    try {
      return readText(descriptor, path);
    } finally {
      closeDescriptor(descriptor);
    }
  } finally {
    closeDescriptor(directory);
  }
}

function readText(descriptor: number, path: string): string {
  const stat = statOf(descriptor);
  if (typeof stat === "number" || stat.type !== "file") throw unreadable(path, "it is not a regular file");
  if (stat.sizeBytes > mostBytes) throw unreadable(path, `it has ${stat.sizeBytes} bytes, ${mostBytes} are allowed`);
  const file = openFound(descriptor);
  try {
    return Buffer.from(bytesOf(file, stat.sizeBytes, path).buffer).toString("utf8");
  } finally {
    closeDescriptor(file);
  }
}

function bytesOf(file: number, sizeBytes: number, path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let length = 0; length < bytes.length; ) {
    const result = readSome(file, bytes.subarray(length));
    if (result <= 0) throw unreadable(path, "it could not be read to its end");
    length += result;
  }
  return bytes;
}

function unreadable(path: string, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_CONFIG", `cannot read "${path}" in the image: ${found}`, { details: { path } });
}
