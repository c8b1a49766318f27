import { closeSync, existsSync, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits } from "../../src/base/limits.ts";
import { ContentFile } from "../../src/blob/content-file.ts";
import { writeFlatArchive } from "../../src/export/flat-archive.ts";
import { factsOf } from "../../src/export/tree-facts.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { ownRights } from "../../src/linux/thread.ts";
import { LayersSoFar } from "../../src/look/layers-so-far.ts";
import { answered, type Question } from "../../src/look/question.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { ByteSource, Entry } from "../../src/tar/entry.ts";
import { MergedTree } from "../../src/tree/merged-tree.ts";
import { mtreeLines } from "../../src/tree/mtree.ts";
import { everything } from "../../src/tree/selection.ts";
import { Comparison } from "../../src/verify/comparison.ts";
import { tellingDifferences } from "../../src/verify/comparison-observer.ts";
import { sourceOf } from "../model/archive.ts";
import { stacked } from "../overlay/stacked.ts";
import { removeTree } from "../support/remove-tree.ts";
import { processorTime } from "./growth.ts";

/** What can be done with the layers of an image. */
export type Use =
  | "are decoded"
  | "become files"
  | "are merged, and become an archive and a manifest"
  | "become an overlay"
  | "are looked into"
  | "are compared with files";

/** Does it, and gives the milliseconds that it took. */
type Consumer = (layers: readonly Uint8Array[]) => number;

const MiB = 1024 * 1024;

/** What is about one entry may be large here: whether that is allowed is not what these tests ask. */
const limits = { ...defaultLimits, headerBytes: 64 * MiB, xattrBytes: 64 * MiB };

const settings = applySettings({ owner: "preserve", limits });

const nobody = { warning() {}, skipped() {} };

/** The verbs' work on layers, without threads, rings and compression. */
export const consumers: Readonly<Record<Use, Consumer>> = {
  "are decoded": (layers) => processorTime(() => layers.forEach(decode)),

  "become files": (layers) => {
    return withDirectory((_directory, handle) => processorTime(() => apply(layers, handle)));
  },

  "are merged, and become an archive and a manifest": (layers) => {
    return processorTime(() => {
      const { root } = merged(layers);
      factsOf(root, everything);
      writeFlatArchive(root, emptyFile, nowhere);
      for (const _line of mtreeLines(root, { digests: new Map(), ownerOf: (stated) => stated }));
    });
  },

  "become an overlay": (layers) => {
    return withDirectory((directory) => processorTime(() => void stacked(layers, directory, "userxattr")));
  },

  "are looked into": (layers) => {
    return processorTime(() => {
      for (const question of questions) ask(layers, question);
    });
  },

  "are compared with files": (layers) => {
    return withDirectory((_directory, handle) => {
      if (!isAccepted(() => apply(layers, handle))) return 0;
      const { root } = merged(layers);
      return processorTime(() => {
        new Comparison({
          settings,
          rights: ownRights(),
          digestOf: () => undefined,
          observer: tellingDifferences(() => {}),
        }).compare(root, handle);
      });
    });
  },
};

/** One that all layers have a say in, and one that is found nowhere. */
const questions: readonly Question[] = [
  { about: "entries", path: byteStringOf(""), isRecursive: true },
  { about: "content", path: byteStringOf("d/none") },
];

function* entriesOf(archive: Uint8Array): Iterable<Entry> {
  const decoder = decoderOf(archive);
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) yield entry;
}

function decoderOf(archive: Uint8Array): TarDecoder {
  return new TarDecoder(sourceOf(archive), { limits, strict: false, warning() {} });
}

function decode(archive: Uint8Array): void {
  for (const _entry of entriesOf(archive));
}

function apply(layers: readonly Uint8Array[], directory: number): void {
  const rootfs = openRootfs(directory, settings, nobody);
  try {
    for (const [index, layer] of layers.entries()) {
      const decoder = decoderOf(layer);
      const applier = rootfs.beginLayer(index);
      for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) applier.apply(entry, decoder);
      applier.end();
    }
    rootfs.finish();
  } finally {
    rootfs.close();
  }
}

function merged(layers: readonly Uint8Array[]): MergedTree {
  const tree = new MergedTree(settings, nobody);
  for (const [index, layer] of layers.entries()) {
    const decoder = decoderOf(layer);
    const merge = tree.beginLayer(index, (_entry, body) => passedOver(body));
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) merge.apply(entry, decoder);
    merge.end();
  }
  return tree;
}

/** Reads layers from the newest down until the question is answered. */
function ask(layers: readonly Uint8Array[], question: Question): void {
  const soFar = new LayersSoFar(settings);
  for (let number = layers.length - 1; number >= 0; number -= 1) {
    soFar.add(number, entriesOf(layers[number] ?? new Uint8Array()));
    if (soFar.answer((root) => [...answered(root, question).entries]) !== undefined) return;
  }
}

function passedOver(body: ByteSource): number {
  while (body.read() !== undefined);
  return 0;
}

function isAccepted(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

const emptyFile = new ContentFile(-1, "nowhere");
const nowhere = { write() {}, fill() {}, copy() {} };

/** Memory where there is some: this is not about disks. */
const roomyDirectory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function withDirectory(work: (directory: string, handle: number) => number): number {
  const directory = mkdtempSync(join(roomyDirectory, "oci-unpack-cost-"));
  const handle = openSync(directory, "r");
  try {
    return work(directory, handle);
  } finally {
    closeSync(handle);
    removeTree(directory);
  }
}
