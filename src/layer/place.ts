import type { ByteString } from "../tar/byte-string.ts";
import type { BackEndTypes, Directory } from "./directory.ts";

/** Where something is to be: a name in a directory. `path` is the entry's own, for messages. */
export interface Place<Types extends BackEndTypes> {
  readonly parent: Directory<Types>;
  readonly name: ByteString;
  readonly path: ByteString;
}
