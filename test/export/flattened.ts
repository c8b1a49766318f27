import { Buffer } from "node:buffer";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentFile } from "../../src/export/content-file.ts";
import { type ArchiveSink, writeFlatArchive } from "../../src/export/flat-archive.ts";
import { defaultLimits } from "../../src/limits.ts";
import type { ApplyOptions } from "../../src/options.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { sourceOf } from "../model/archive.ts";

/** What the working thread makes of uncompressed layers, without the thread: one archive. */
export function flattened(layers: readonly Uint8Array[], options: ApplyOptions = {}): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "oci-unpack-flat-"));
  const descriptor = openSync(join(directory, "contents"), "wx+");
  try {
    return archive(layers, options, new ContentFile(descriptor));
  } finally {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  }
}

function archive(layers: readonly Uint8Array[], options: ApplyOptions, contents: ContentFile): Uint8Array {
  const limits = defaultLimits;
  const settings = {
    devices: "skip",
    keepDirlinks: false,
    sourceDateEpoch: 0,
    ...options,
    strict: false,
    limits,
  } as const;
  const tree = new MergedTree(settings, { warning() {}, skipped() {} });
  for (const [index, layer] of layers.entries()) {
    const decoder = new TarDecoder(sourceOf(layer), { limits, strict: false, warning() {} });
    const merge = tree.beginLayer(index, (_entry, body) => contents.append(body));
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) merge.apply(entry, decoder);
    merge.end();
  }
  contents.flush();
  const pieces: Uint8Array[] = [];
  writeFlatArchive(tree.root, contents, inMemory(pieces));
  return Buffer.concat(pieces);
}

function inMemory(pieces: Uint8Array[]): ArchiveSink {
  return {
    write: (bytes) => pieces.push(bytes),
    fill: (zeros) => pieces.push(new Uint8Array(zeros)),
    copy(contents, offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) done += contents.read(bytes.subarray(done), offset + done);
      pieces.push(bytes);
    },
  };
}
