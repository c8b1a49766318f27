import type { Memory } from "../base/memory-budget.ts";
import type { ContentFile } from "../blob/content-file.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource } from "../tar/entry.ts";
import { TocDecoder } from "../toc/toc-decoder.ts";
import { inOrder } from "../tree/in-order.ts";
import type { Selection } from "../tree/selection.ts";
import type { KeepContent } from "../tree/tree-back-end.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

const rootPath = byteStringOf("");

/** The data that are wanted of a layer for which its table of contents stands. */
export interface TabledContents {
  readonly layer: number;
  /** Where they go in the file with the contents. */
  readonly start: number;
  /** Where the files begin in the archive. */
  readonly dataOffsets: Float64Array;
}

/** What is remembered of a file whose data are wanted. Measured as a place in a map, and rounded up. */
const wantedBytes = 72;

/**
 * The data of files that are wanted of layers of which only the index was read. The `content` of such a file is where
 * its data begin in the archive of its layer, until they have been read.
 */
export class WantedContents {
  readonly #memory: Memory;
  readonly #files = new Map<number, Map<number, TreeFile>>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** What keeps the place of the data of each file of a layer. */
  keepIn(layer: number): KeepContent {
    this.#files.set(layer, new Map());
    return (_entry, body) => {
      if (!(body instanceof TocDecoder)) throw new TypeError("an entry of an index comes from an index");
      return body.facts.dataOffset;
    };
  }

  /** Finds the files whose data are wanted. */
  find(root: TreeDirectory, wanted: Selection): void {
    if (this.#files.size === 0) return;
    for (const item of inOrder(root, rootPath, { wanted })) {
      const { file } = item;
      if (file === undefined || item.firstPath !== undefined) continue;
      if (file.type !== "file" || file.sizeBytes === 0) continue;
      const files = this.#files.get(file.origin);
      if (files === undefined) continue;
      this.#memory.spend(wantedBytes, "files");
      files.set(file.content, file);
    }
  }

  /** The layers that have such data. */
  get layers(): readonly number[] {
    return [...this.#files].flatMap(([layer, files]) => (files.size > 0 ? [layer] : []));
  }

  /**
   * Makes room for what is wanted of a layer, and gives where its files begin in the archive, in ascending order: in that
   * order their data go there.
   */
  reserve(layer: number, contents: ContentFile): TabledContents {
    const files = [...(this.#files.get(layer) ?? [])].sort(([one], [other]) => one - other);
    const bytes = files.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0);
    const start = contents.reserve(bytes);
    let at = start;
    for (const [, file] of files) {
      file.content = at;
      at += file.sizeBytes;
    }
    return { layer, start, dataOffsets: Float64Array.from(files, ([dataOffset]) => dataOffset) };
  }

  /** Takes what is wanted out of the archive of a layer. What was repaired in it has been told. */
  read(layer: number, archive: ByteSource, contents: ContentFile, { limits }: RootfsSettings): void {
    const decoder = new TarDecoder(archive, { limits, strict: false, warning() {} });
    const files = this.#files.get(layer);
    while (decoder.next() !== undefined) {
      const file = files?.get(decoder.offset);
      if (file !== undefined) file.content = contents.append(decoder);
    }
  }
}
