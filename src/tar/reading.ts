import type { Limits } from "../base/limits.ts";
import { invalidArchive } from "./archive-error.ts";
import type { BlockReader } from "./block-reader.ts";
import type { Header } from "./header.ts";
import type { HeaderRoom } from "./header-room.ts";
import type { Repair } from "./repair.ts";

/** What the parts of a decoder share while they read one archive. */
export interface Reading {
  readonly input: BlockReader;
  /** The header that was read last. */
  readonly header: Header;
  /** For the bodies of extension headers. */
  readonly room: HeaderRoom;
  readonly limits: Limits;
  readonly repair: Repair;
}

/** Fills `target` with what must still come. */
export function fillWhole({ input }: Reading, target: Uint8Array, what: string): void {
  const offset = input.offset;
  const length = input.fill(target);
  if (length < target.length) {
    throw invalidArchive(`read ${what}`, offset, `the archive ends ${target.length - length} bytes too early`);
  }
}
