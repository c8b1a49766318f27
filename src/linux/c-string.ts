import { Buffer } from "node:buffer";
import type { ByteString } from "../tar/byte-string.ts";

/**
 * A buffer for names that are passed to system calls. It is used again for each name, so that a call allocates nothing.
 */
export class CString {
  // The kernel takes no path longer than 4095 bytes and its NUL.
  readonly #bytes = Buffer.alloc(4096);

  /** The name, ended by a NUL; valid until the next call. Throws if the name has a NUL, which would cut it. */
  of(name: ByteString): Uint8Array {
    if (name.includes("\0")) throw new RangeError("a name contains a NUL byte");
    if (name.length >= this.#bytes.length) return Buffer.from(`${name}\0`, "latin1"); // the kernel answers ENAMETOOLONG
    this.#bytes.write(name, 0, "latin1");
    this.#bytes[name.length] = 0;
    return this.#bytes;
  }
}
