import { type Duplex, Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import type { LayerCompression } from "../../oci/media-type.ts";

/** What undoes a compression, as a stream; nothing for none. */
export function streamDecompressor(compression: LayerCompression): Duplex | undefined {
  if (compression === "gzip") return zlib.createGunzip();
  return compression === "zstd" ? zstdDecompressor() : undefined;
}

function zstdDecompressor(): Duplex {
  const native = (zlib as { createZstdDecompress?: () => Duplex }).createZstdDecompress;
  return native?.() ?? javaScriptZstd();
}

/** Node before 22.15 has no zstd of its own. */
function javaScriptZstd(): Duplex {
  const stream = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      attempt(() => decompress.push(Uint8Array.from(chunk)), done);
    },
    flush(done) {
      attempt(() => decompress.push(new Uint8Array(0), true), done);
    },
  });
  const decompress = new Decompress((bytes) => stream.push(bytes));
  return stream;
}

function attempt(work: () => void, done: (error?: Error) => void): void {
  try {
    work();
    done();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}
