/**
 * Copies all of `from` to the beginning of `to`, which has room for it and may be shared memory.
 *
 * `TypedArray.set` moves shared memory byte by byte where the two are not aligned alike, which what comes from a network
 * never is: 3.4 GB/s on Node 20, 22 and 24, measured. What Buffer does to fill memory with a pattern is a plain copy of a
 * pattern of the same length: 33 GB/s.
 */
export function copyBytes(from: Uint8Array, to: Uint8Array): void {
  if (from.length > to.length) throw new RangeError(`${from.length} bytes do not fit into ${to.length}`);
  if (from.length > 0) Buffer.prototype.fill.call(to, from, 0, from.length);
}
