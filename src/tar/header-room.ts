import { Buffer } from "node:buffer";

/** Memory for one extension header after the other: what is allocated anew for each waits long to be collected. */
export class HeaderRoom {
  #bytes = Buffer.allocUnsafeSlow(4096);

  /** Room for so many bytes, the caller's until it asks again. */
  of(sizeBytes: number): Buffer {
    if (this.#bytes.length < sizeBytes)
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(sizeBytes, 2 * this.#bytes.length));
    return this.#bytes.subarray(0, sizeBytes);
  }
}
