/**
 * How fast archives are decoded: `node build/bench/tar-decoder.js`.
 *
 * The source hands out views of shared memory, as the ring between the threads does.
 */
import { defaultLimits } from "../src/base/limits.ts";
import { TarDecoder } from "../src/tar/decoder.ts";
import type { ByteSource } from "../src/tar/entry.ts";
import { directory, file, symlink, tarWithoutEnd } from "../test/support/tar-builder.ts";

const CHUNK_BYTES = 256 * 1024;
const ROUNDS = 5;

/** Yields an archive again and again until `totalBytes` or more have been read, then its end. */
function repeated(entries: Uint8Array, totalBytes: number, chunkBytes: number): ByteSource {
  const shared = new Uint8Array(new SharedArrayBuffer(entries.length));
  shared.set(entries);
  let at = 0;
  let left = Math.ceil(totalBytes / entries.length) * entries.length;
  return {
    read() {
      if (left === 0) return undefined;
      const chunk = shared.subarray(at, Math.min(at + chunkBytes, shared.length));
      at = (at + chunk.length) % shared.length;
      left -= chunk.length;
      return chunk;
    },
  };
}

function decode(source: ByteSource): { entries: number; bytes: number } {
  const decoder = new TarDecoder(source, { limits: defaultLimits, strict: false, warning() {} });
  let entries = 0;
  let bytes = 0;
  while (decoder.next() !== undefined) {
    entries++;
    for (let piece = decoder.read(); piece !== undefined; piece = decoder.read()) bytes += piece.length;
  }
  return { entries, bytes };
}

function report(what: string, entries: Uint8Array, totalBytes: number, chunkBytes = CHUNK_BYTES): void {
  let best = Number.POSITIVE_INFINITY;
  let count = { entries: 0, bytes: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    count = decode(repeated(entries, totalBytes, chunkBytes));
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  const rate = Math.round(count.entries / best).toLocaleString("en");
  console.log(
    `${what.padEnd(44)} ${rate.padStart(12)} entries/s ${Math.round(count.bytes / best / 1e6)
      .toLocaleString("en")
      .padStart(10)} MB/s`,
  );
}

const names = Array.from({ length: 2000 }, (_, index) => `usr/share/doc/package-${index % 97}/file-${index}.txt`);
const bare = tarWithoutEnd(
  ...names.map((name, index) => (index % 10 ? file(name) : index % 20 ? directory(name) : symlink(name, "../target"))),
);
const small = tarWithoutEnd(...names.map((name, index) => file(name, new Uint8Array((index * 37) % 8192))));
const large = tarWithoutEnd(file("usr/lib/large", new Uint8Array(64 * 1024 * 1024)));
const pax = tarWithoutEnd(
  ...names.map((name) => file(name, "", { mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 } })),
);
const xattrs = tarWithoutEnd(
  ...names.map((name) => file(name, "", { xattrs: { "security.capability": new Uint8Array(20) } })),
);
const gnu = tarWithoutEnd(...names.map((name) => file(`${"long/".repeat(25)}${name}`, "", { dialect: "gnu" })));
const MB = 1e6;

console.log(`Node ${process.version}, chunks of ${CHUNK_BYTES / 1024} KiB unless said otherwise, best of ${ROUNDS}`);
report("headers only", bare, 250 * MB);
report("headers only, chunks of 1000 bytes", bare, 50 * MB, 1000);
report("files up to 8 KiB", small, 1000 * MB);
report("files of 64 MiB", large, 20_000 * MB);
report("a pax time on each file", pax, 250 * MB);
report("a capability on each file", xattrs, 250 * MB);
report("a GNU long name on each file", gnu, 250 * MB);
