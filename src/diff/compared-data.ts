import type { Memory } from "../base/memory-budget.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { dataDigests } from "../toc/data-digests.ts";
import type { DigestibleHoles } from "../toc/digested-body.ts";
import { ContentDigests, digestOf } from "../tree/content-digests.ts";
import type { FileDigests } from "../tree/listed-entry.ts";
import type { TreeFile } from "../tree/tree-file.ts";

/**
 * The digests of the data of files, for trees whose files' `content` is the number that `keep` gave. A sparse file has
 * two, one after the other: of itself, unless its holes are too large, and of its data without the holes.
 */
export class ComparedData implements FileDigests {
  /** By the number that `keep` gave. */
  readonly digests: ContentDigests;

  constructor(memory: Memory) {
    this.digests = new ContentDigests(memory);
  }

  /** Takes down the digests of an entry's data, which `body` yields or knows, and gives their number. */
  keep(entry: Entry, body: ByteSource, holes: DigestibleHoles): number {
    const { digest, dataDigest } = dataDigests(entry, body, holes);
    const number = this.digests.addHex(digest);
    if (entry.segments !== undefined) this.digests.addHex(dataDigest);
    return number;
  }

  /** The SHA-256 of a regular file, in hexadecimal digits, if it is known. */
  get(file: TreeFile): string | undefined {
    return digestOf(file, this.digests);
  }

  /**
   * Whether two regular files have the same content. Of sparse files with holes that are too large to be digested it is
   * the same where data and holes are in the same places, and the data are the same.
   */
  areSame(first: TreeFile, second: TreeFile): boolean {
    if (first.sizeBytes !== second.sizeBytes) return false;
    const [one, other] = [this.get(first), this.get(second)];
    if (one !== undefined && other !== undefined) return one === other;
    return first.segments !== undefined && haveSamePlaces(first, second) && this.#haveSameData(first, second);
  }

  /** The SHA-256 of the data of a regular file without its holes, in hexadecimal digits. */
  withoutHoles({ segments, content }: TreeFile): string | undefined {
    return this.digests.get(segments === undefined ? content : content + 1);
  }

  #haveSameData(first: TreeFile, second: TreeFile): boolean {
    const [one, other] = [this.withoutHoles(first), this.withoutHoles(second)];
    return one !== undefined && one === other;
  }
}

function haveSamePlaces({ segments: first = [] }: TreeFile, { segments: second = [] }: TreeFile): boolean {
  return (
    first.length === second.length &&
    first.every(({ offset, length }, index) => offset === second[index]?.offset && length === second[index].length)
  );
}
