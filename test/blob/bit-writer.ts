/** Writes deflate data bit by bit (RFC 1951, section 3.1.1). */
export class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;

  /** A number of so many bits, the lowest first. */
  number(value: number, bits: number): this {
    for (let bit = 0; bit < bits; bit += 1) this.#bit((value >>> bit) & 1);
    return this;
  }

  /** A Huffman code, the highest bit first. */
  code(bits: string): this {
    for (const bit of bits) this.#bit(Number(bit));
    return this;
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #bit(bit: number): void {
    if (this.#bits % 8 === 0) this.#bytes.push(0);
    const last = this.#bytes.length - 1;
    this.#bytes[last] = (this.#bytes[last] ?? 0) | (bit << (this.#bits % 8));
    this.#bits += 1;
  }
}
