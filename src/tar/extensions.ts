import type { Buffer } from "node:buffer";
import { BLOCK, invalidArchive, limitExceeded } from "./block-reader.ts";
import { type ByteString, byteString } from "./byte-string.ts";
import { type DecoderState, fillWhole } from "./decoder-state.ts";
import { PaxHeader } from "./pax-header.ts";

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
 * Reads the body of an extension header and adds what it says to `extensions`; `undefined` where the header is an
 * entry's.
 *
 * A second header of a kind replaces the first, as in Go.
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
function readLongName(state: DecoderState): ByteString {
  const text = readBody(state);
  const nul = text.indexOf(0);
  return byteString(text, 0, nul < 0 ? text.length : nul);
}

/**
 * A global header is checked and then ignored, as by everything written in Go, and thus by whatever a tester of the
 * image used. POSIX would have it change all later entries; git writes them, with nothing but a comment.
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

/** Valid until the next body is read. */
function readBody(state: DecoderState): Buffer {
  const { header, input, limits } = state;
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
  const body = state.buffer.of(sizeBytes);
  fillWhole(state, body, "the extension header");
  input.skip(-sizeBytes & (BLOCK - 1));
  return body;
}
