import { constants, crc32, deflateRawSync, type ZlibOptions } from "node:zlib";
import type { Random } from "../model/random.ts";
import { type BodyName, body } from "./bodies.ts";
import { DeflateCodec, endings, type Form, flushes } from "./deflate-codec.ts";
import type { Stream } from "./stream.ts";

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_SYNC_FLUSH } = constants;
export const strategies = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED] as const;

const nothing = Buffer.alloc(0);
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** What many members begin with: it is deflated once. */
export class Beginning {
  readonly name: string;
  readonly bodyName: BodyName;
  readonly content: Buffer;
  readonly deflated: Buffer;
  readonly crc: number;

  constructor(bodyName: BodyName, length: number, options: ZlibOptions) {
    this.name = `${length} of ${bodyName} (${JSON.stringify(options)})`;
    this.bodyName = bodyName;
    this.content = body(bodyName, length);
    this.crc = crc32(this.content);
    this.deflated = length === 0 ? nothing : deflateRawSync(this.content, { ...options, finishFlush: Z_SYNC_FLUSH });
  }

  /** The whole content; more of the same body is not copied. */
  followedBy(more: Buffer): Buffer {
    const whole = body(this.bodyName, this.content.length + more.length);
    const isMoreOfTheSame = whole.compare(more, 0, more.length, this.content.length) === 0;
    return isMoreOfTheSame ? whole : Buffer.concat([this.content, more]);
  }
}

/** gzip members that begin alike, and go on as zlib encodes it with some options. */
export class GzipMembers {
  readonly #beginning: Beginning;
  readonly #options: ZlibOptions;
  readonly #codec: DeflateCodec;

  /** What comes after the beginning may refer to its last `historyBytes`. */
  constructor(beginning: Beginning, options: ZlibOptions, historyBytes: number) {
    const { content } = beginning;
    this.#beginning = beginning;
    this.#options = options;
    this.#codec = new DeflateCodec(options, content.subarray(Math.max(0, content.length - historyBytes)));
  }

  member(more: Buffer, form: Form): Stream {
    const tail = this.#codec.tail(more, form);
    const content = this.#beginning.followedBy(more);
    const trailer = trailerOf(crc32(more, this.#beginning.crc), content.length);
    const compressed = Buffer.concat([header, this.#beginning.deflated, tail, trailer]);
    const name = `${this.#beginning.name}, then ${more.length} (${JSON.stringify({ ...this.#options, ...form })})`;
    return { name, compressed, content, end: compressed.length };
  }

  close(): void {
    this.#codec.close();
  }
}

/** Any content as one gzip member. */
export function gzipped(content: Buffer, options: ZlibOptions, form: Form): Buffer {
  const codec = new DeflateCodec(options, nothing);
  const deflated = codec.tail(content, form);
  codec.close();
  return Buffer.concat([header, deflated, trailerOf(crc32(content), content.length)]);
}

function trailerOf(crc: number, length: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length, 4);
  return trailer;
}

export function randomOptions(random: Random): ZlibOptions {
  return {
    level: random.below(10),
    strategy: random.oneOf(strategies),
    memLevel: 1 + random.below(9),
    windowBits: 9 + random.below(7),
  };
}

export function randomForm(random: Random): Form {
  return { flushes: random.many(0, 2, () => random.oneOf(flushes)), ending: random.oneOf(endings) };
}
