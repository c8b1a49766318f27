import { Buffer } from "node:buffer";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits } from "../../src/base/limits.ts";
import type { ExportForm } from "../../src/base/option-words.ts";
import { ContentFile } from "../../src/blob/content-file.ts";
import { fitting } from "../../src/export/fitting.ts";
import { writeFlatArchive } from "../../src/export/flat-archive.ts";
import { factsOf, type TreeFacts } from "../../src/export/tree-facts.ts";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { everything } from "../../src/tree/selection.ts";
import type { ArchiveSink } from "../../src/worker/outlet.ts";
import { sourceOf } from "../model/archive.ts";

/** One archive in place of several, and what has to be known to make a file system of it. */
export interface Flattened {
  readonly archive: Uint8Array;
  readonly facts: TreeFacts;
}

/** What the working thread makes of uncompressed layers, without the thread: one archive. */
export function flattened(layers: readonly Uint8Array[], options: ApplyOptions = {}): Uint8Array {
  return flattenedFor("tar", layers, options).archive;
}

/** The archive that is made for a form of output. */
export function flattenedFor(form: ExportForm, layers: readonly Uint8Array[], options: ApplyOptions = {}): Flattened {
  const directory = mkdtempSync(join(tmpdir(), "oci-unpack-flat-"));
  const descriptor = openSync(join(directory, "contents"), "wx+");
  try {
    const contents = new ContentFile(descriptor, directory);
    const { root } = merged(layers, options, contents);
    contents.flush();
    const pieces: Uint8Array[] = [];
    writeFlatArchive(root, contents, inMemory(pieces), { fit: fitting(form, defaultLimits, () => {}) });
    return { archive: Buffer.concat(pieces), facts: factsOf(root, everything) };
  } finally {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  }
}

function merged(layers: readonly Uint8Array[], options: ApplyOptions, contents: ContentFile): MergedTree {
  const limits = defaultLimits;
  const settings = applySettings(options);
  const tree = new MergedTree(settings, { warning() {}, skipped() {} });
  for (const [index, layer] of layers.entries()) {
    const decoder = new TarDecoder(sourceOf(layer), { limits, strict: false, warning() {} });
    const merge = tree.beginLayer(index, (_entry, body) => contents.append(body));
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) merge.apply(entry, decoder);
    merge.end();
  }
  return tree;
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
