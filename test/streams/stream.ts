/** A compressed stream, and what has to come out of it. */
export interface Stream {
  readonly name: string;
  readonly compressed: Buffer;
  readonly content: Buffer;
  /** Where bytes begin that are not part of it; where that is its end, there are none. */
  readonly end: number;
}

/** Zeros may follow each member, and other bytes the last one. */
export function withRest(stream: Stream, zeros: number, junk: Uint8Array): Stream {
  if (zeros === 0 && junk.length === 0) return stream;
  const compressed = Buffer.concat([stream.compressed, Buffer.alloc(zeros), junk]);
  return { ...stream, compressed, end: compressed.length - junk.length };
}

/** Several streams in a row are one. */
export function inARow(streams: readonly Stream[]): Stream {
  const [only] = streams;
  if (only !== undefined && streams.length === 1) return only;
  const compressed = Buffer.concat(streams.map((stream) => stream.compressed));
  return {
    name: streams.map(({ name }) => name).join(" + "),
    compressed,
    content: Buffer.concat(streams.map((stream) => stream.content)),
    end: compressed.length,
  };
}
