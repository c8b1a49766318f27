import type { ByteString } from "../tar/byte-string.ts";

/** Where something is to be: a name in a directory. `path` is the entry's own, for messages. */
export interface Place<Directory> {
  readonly parent: Directory;
  readonly name: ByteString;
  readonly path: ByteString;
}
