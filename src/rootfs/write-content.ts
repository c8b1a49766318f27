import { OciUnpackError } from "../base/errors.ts";
import { quoted } from "../layer/findings.ts";
import { setSize, writeSome, writeSomeAt } from "../linux/content.ts";
import { errnos } from "../linux/errno.ts";
import { type ByteString, textOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry, Segment } from "../tar/entry.ts";
import { failure } from "./failure.ts";

/**
 * Writes an entry's data to a new file, from the archive's own memory; where a sparse file has no data it gets holes.
 */
export function writeContent(file: number, entry: Entry, body: ByteSource): void {
  if (entry.segments === undefined) writeWhole(file, entry, body);
  else writeSegments(file, entry, entry.segments, body);
}

function writeWhole(file: number, { path, sizeBytes }: Entry, body: ByteSource): void {
  let restBytes = sizeBytes;
  for (let chunk = body.read(); chunk !== undefined; chunk = body.read()) {
    restBytes -= chunk.length;
    for (let rest = chunk; rest.length > 0; ) {
      rest = rest.subarray(written(writeSome(file, rest), path));
    }
  }
  if (restBytes !== 0) throw incomplete(path, restBytes);
}

function writeSegments(file: number, { path, sizeBytes }: Entry, segments: readonly Segment[], body: ByteSource): void {
  let chunk: Uint8Array | undefined = new Uint8Array(0);
  for (const { offset, length } of segments) {
    for (let at = offset; at < offset + length; ) {
      if (chunk.length === 0) chunk = body.read();
      if (chunk === undefined) throw incomplete(path, offset + length - at);
      const bytes = written(writeSomeAt(file, chunk.subarray(0, offset + length - at), at), path);
      chunk = chunk.subarray(bytes);
      at += bytes;
    }
  }
  const result = setSize(file, sizeBytes);
  if (result < 0) throw failure("write", path, "ftruncate", result);
}

function written(result: number, path: ByteString): number {
  // A file system that neither writes nor complains would keep us here for ever.
  if (result === 0) throw failure("write", path, "write", -errnos.EIO);
  if (result < 0) throw failure("write", path, "write", result);
  return result;
}

/** The error where an archive ends within a file. */
export function incomplete(path: ByteString, restBytes: number): OciUnpackError {
  return new OciUnpackError(
    "INVALID_ARCHIVE",
    `cannot write ${quoted(path)}: its data end ${restBytes} bytes too early`,
    { details: { path: textOf(path) } },
  );
}
