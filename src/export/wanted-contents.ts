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
