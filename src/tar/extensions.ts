import type { Buffer } from "node:buffer";
import { invalidArchive, limitExceeded } from "./archive-error.ts";
import { BLOCK } from "./block-reader.ts";
import { type ByteString, byteString } from "./byte-string.ts";
import { PaxHeader } from "./pax-header.ts";
import { fillWhole, type Reading } from "./reading.ts";

/** What headers of their own say about the entry that follows them. */
export interface Extensions {
  /** GNU's long name, and its long link target. Empty ones do not count. */
  readonly path?: ByteString;
  readonly linkPath?: ByteString;
  readonly pax?: PaxHeader;
}

/** What stands before most entries. */
export const noExtensions: Extensions = {};

/**
 * Reads the body of an extension header and adds what it says to `extensions`; `undefined` where the header is an entry's.
 *
 * A second header of a kind replaces the first, as in Go.
 */
export function readExtension(reading: Reading, extensions: Extensions): Extensions | undefined {
  switch (reading.header.typeFlag) {
    case "x":
      return { ...extensions, pax: readPaxHeader(reading) };
    case "L":
      return { ...extensions, path: readLongName(reading) };
    case "K":
      return { ...extensions, linkPath: readLongName(reading) };
    case "g":
      passGlobalHeader(reading);
      return extensions;
    case "V": // a volume's label, which says nothing of files
      readBody(reading);
      return extensions;
    default:
      return undefined;
  }
}

function readPaxHeader(reading: Reading): PaxHeader {
  const offset = reading.header.offset;
  const pax = new PaxHeader(readBody(reading), offset);
  if (pax.xattrs === undefined) return pax;
  const { xattrBytes } = reading.limits;
  let bytes = 0;
  for (const [name, value] of pax.xattrs) bytes += name.length + value.length;
  if (bytes > xattrBytes) {
    throw limitExceeded(
      "decode the pax header",
      offset,
      `its extended attributes have ${bytes} bytes`,
      "xattrBytes",
      xattrBytes,
    );
  }
  return pax;
}

/** Up to the first NUL, of which GNU writes one. */
function readLongName(reading: Reading): ByteString {
  const text = readBody(reading);
  const nul = text.indexOf(0);
  return byteString(text, 0, nul < 0 ? text.length : nul);
}

/**
 * A global header is checked and then ignored, as by everything written in Go, and thus by whatever a tester of the image
 * used. POSIX would have it change all later entries; git writes them, with nothing but a comment.
 */
function passGlobalHeader(reading: Reading): void {
  const { offset } = reading.header;
  const { meaningful } = readPaxHeader(reading);
  if (meaningful === undefined) return;
  reading.repair(
    "GLOBAL_HEADER_IGNORED",
    `a pax global header at offset ${offset} sets ${JSON.stringify(meaningful)} for later entries`,
  );
}

/** Valid until the next body is read. */
function readBody(reading: Reading): Buffer {
  const { header, input, limits } = reading;
  const { sizeBytes, offset } = header;
  if (sizeBytes < 0) throw invalidArchive("decode the header", offset, `its size is ${sizeBytes}`);
  if (sizeBytes > limits.headerBytes) {
    throw limitExceeded(
      "read the extension header",
      offset,
      `it has ${sizeBytes} bytes`,
      "headerBytes",
      limits.headerBytes,
    );
  }
  const body = reading.room.of(sizeBytes);
  fillWhole(reading, body, "the extension header");
  input.skip(-sizeBytes & (BLOCK - 1));
  return body;
}
