import type { Buffer } from "node:buffer";
import { archiveLimitExceeded, BLOCK, invalidArchive } from "./block-reader.ts";
import { type ByteString, byteString } from "./byte-string.ts";
import { type DecoderState, fillWhole } from "./decoder-state.ts";
import { PaxHeader } from "./pax-header.ts";

/** What extension headers say about the entry after them. */
export interface Extensions {
  /** GNU's long name and long link target. Empty ones do not count. */
  readonly path?: ByteString;
  readonly linkPath?: ByteString;
  readonly pax?: PaxHeader;
}

/** Most entries have no extension headers. */
export const noExtensions: Extensions = {};

/* * If the current header is an extension header, reads its body and returns `extensions` with what it says; otherwise
 * returns `undefined`. A second header of the same kind replaces the first, as in Go.
 */
export function readExtension(state: DecoderState, extensions: Extensions): Extensions | undefined {
  switch (state.header.typeFlag) {
    case "x":
      return { ...extensions, pax: readPaxHeader(state) };
    case "L":
      return { ...extensions, path: readLongName(state) };
    case "K":
      return { ...extensions, linkPath: readLongName(state) };
    case "g":
      passGlobalHeader(state);
      return extensions;
    case "V": // a volume's label, which says nothing of files
      readBody(state);
      return extensions;
    default:
      return undefined;
  }
}

function readPaxHeader(state: DecoderState): PaxHeader {
  const offset = state.header.offset;
  const pax = new PaxHeader(readBody(state), offset);
  if (pax.xattrs === undefined) return pax;
  const { xattrBytes } = state.limits;
  let bytes = 0;
  for (const [name, value] of pax.xattrs) bytes += name.length + value.length;
  if (bytes > xattrBytes) {
    throw archiveLimitExceeded(
      "decode the pax header",
      offset,
      `its extended attributes have ${bytes} bytes`,
      "xattrBytes",
      xattrBytes,
    );
  }
  return pax;
}

/** The name ends at the first NUL, which GNU writes. */
function readLongName(state: DecoderState): ByteString {
  const text = readBody(state);
  const nul = text.indexOf(0);
  return byteString(text, 0, nul < 0 ? text.length : nul);
}

/**
 * A global header is checked and then ignored, as all programs in Go do it, and so the tools that the image was tested
 * with. By POSIX it changes all later entries. git writes one that has only a comment.
 */
function passGlobalHeader(state: DecoderState): void {
  const { offset } = state.header;
  const { meaningful } = readPaxHeader(state);
  if (meaningful === undefined) return;
  state.repair(
    "GLOBAL_HEADER_IGNORED",
    `a pax global header at offset ${offset} sets ${JSON.stringify(meaningful)} for later entries`,
  );
}

/** The body of the current header. It is valid until the next body is read. */
function readBody(state: DecoderState): Buffer {
  const { header, input, limits } = state;
  const { sizeBytes, offset } = header;
  if (sizeBytes < 0) throw invalidArchive("decode the header", offset, `its size is ${sizeBytes}`);
  if (sizeBytes > limits.headerBytes) {
    throw archiveLimitExceeded(
      "read the extension header",
      offset,
      `it has ${sizeBytes} bytes`,
      "headerBytes",
      limits.headerBytes,
    );
  }
  const body = state.buffer.of(sizeBytes);
  fillWhole(state, body, "the extension header");
  input.skip(-sizeBytes & (BLOCK - 1));
  return body;
}
