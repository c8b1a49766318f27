import { Buffer } from "node:buffer";
import type { ByteString } from "../tar/byte-string.ts";

/** Memory in which one name after the other is handed to the kernel, so that no call has to allocate. */
export class CString {
  // The kernel takes no path longer than 4095 bytes and its NUL.
  readonly #bytes = Buffer.alloc(4096);

  /** The name with a NUL behind it; valid until the next call. A name with a NUL inside would become another name. */
  of(name: ByteString): Uint8Array {
    if (name.includes("\0")) throw new RangeError("a name contains a NUL byte");
    if (name.length >= this.#bytes.length) return Buffer.from(`${name}\0`, "latin1"); // ENAMETOOLONG is the kernel's to say.
    this.#bytes.write(name, 0, "latin1");
    this.#bytes[name.length] = 0;
    return this.#bytes;
  }
}
