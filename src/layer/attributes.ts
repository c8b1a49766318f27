import type { ByteString } from "../tar/byte-string.ts";
import type { Timestamp } from "../tar/entry.ts";

/** What a file or a directory has besides its type and its content. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly atime?: Timestamp | undefined;
  readonly xattrs?: ReadonlyMap<ByteString, Uint8Array> | undefined;
}

/** What a directory has that no layer describes (rules T18, T19). */
export function impliedAttributes({ sourceDateEpoch }: { readonly sourceDateEpoch: number }): Attributes {
  return { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: sourceDateEpoch, nanoseconds: 0 } };
}
