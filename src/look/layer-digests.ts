import type { Limits } from "../base/limits.ts";
import type { Memory } from "../base/memory-budget.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { dataDigests } from "../toc/data-digests.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { ContentDigests, digestOf } from "../tree/content-digests.ts";
import type { FileDigests } from "../tree/listed-entry.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/**
 * The digests of the files of layers, for a tree whose files' `content` is the index of their entry in their layer. It
 * is known only later which of the entries are in the tree.
 */
export class LayerDigests implements FileDigests {
  readonly #digests: ContentDigests;
  readonly #holes: DigestibleHoles;
  /** The number of each layer's first entry among all. */
  readonly #starts = new Map<number, number>();
  #count = 0;

  constructor(limits: Pick<Limits, "totalBytes">, memory: Memory) {
    this.#digests = new ContentDigests(memory);
    this.#holes = new DigestibleHoles(limits);
  }

  /** Says that the entries that are added from now on are those of another layer. */
  beginLayer(layer: number): void {
    this.#starts.set(layer, this.#count);
  }

  /** Takes down the digest of the data of a layer's next entry, as `dataDigests` does. Whatever has none counts too. */
  add(entry: Entry, body: ByteSource): void {
    const digest = entry.sizeBytes === 0 ? undefined : dataDigests(entry, body, this.#holes).digest;
    this.#count = this.#digests.addHex(digest) + 1;
  }

  get({ origin, sizeBytes, content }: TreeFile): string | undefined {
    return digestOf({ sizeBytes, content: (this.#starts.get(origin) ?? 0) + content }, this.#digests);
  }
}
