import { Buffer } from "node:buffer";
import { OciUnpackError } from "../base/errors.ts";
import type { WarningCode } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { type BlockReader, invalidArchive } from "./block-reader.ts";
import { type ByteString, textOf } from "./byte-string.ts";
import type { Header } from "./header.ts";

/** What all parts of a decoder share while it reads one archive. */
export interface DecoderState {
  readonly input: BlockReader;
  /** The header that was read last. */
  readonly header: Header;
  /** For the bodies of extension headers. */
  readonly buffer: HeaderBuffer;
  readonly limits: Limits;
  readonly repair: Repair;
}

/** Fills `target` with the next bytes. Throws if the archive ends before. */
export function fillWhole({ input }: DecoderState, target: Uint8Array, what: string): void {
  const offset = input.offset;
  const length = input.fill(target);
  if (length < target.length) {
    throw invalidArchive(`read ${what}`, offset, `the archive ends ${target.length - length} bytes too early`);
  }
}

/** Memory that all extension headers use in turn, because memory that is allocated for each is collected late. */
export class HeaderBuffer {
  #bytes = Buffer.allocUnsafeSlow(4096);

  /** Memory for that many bytes. It is valid until the next call. */
  of(sizeBytes: number): Buffer {
    if (this.#bytes.length < sizeBytes)
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(sizeBytes, 2 * this.#bytes.length));
    return this.#bytes.subarray(0, sizeBytes);
  }
}

/** Called for each repair. If it throws, the repair becomes an error. */
export type Repair = (code: WarningCode, message: string, path?: ByteString) => void;

/** The `Repair` of a strict decoder: every repair is an error. */
export function refuseRepair(_code: WarningCode, message: string, path?: ByteString): never {
  const subject = path === undefined ? "the archive" : `"${textOf(path)}"`;
  throw new OciUnpackError("STRICT_VIOLATION", `cannot accept ${subject} strictly: ${message}`);
}
