import { type ByteString, textOf } from "../tar/byte-string.ts";

/** The longest path that Linux takes (PATH_MAX): what is longer is nobody's, and an image may have thousands of them. */
const longestPath = 4096;

/** A path for people. Of one that Linux does not take, the beginning. */
export function pathText(path: ByteString): string {
  return path.length <= longestPath ? textOf(path) : `${textOf(path.slice(0, longestPath) as ByteString)}…`;
}

/** A sentence in which names may stand: of one that is too long, the beginning. */
export function shortened(text: string): string {
  return text.length <= longestPath ? text : `${text.slice(0, longestPath)}…`;
}
