import type { ByteString } from "../tar/byte-string.ts";
import type { Directory } from "./directory.ts";

/** Where something is to be: a name in a directory. `path` is the entry's own, for messages. */
export interface Place {
  readonly parent: Directory;
  readonly name: ByteString;
  readonly path: ByteString;
}
