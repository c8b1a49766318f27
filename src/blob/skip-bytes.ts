/** All but the first `count` bytes. */
export async function* passingOver(
  count: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let remaining = count;
  for await (const chunk of chunks) {
    const skipped = Math.min(remaining, chunk.length);
    remaining -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
