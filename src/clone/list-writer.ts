import { Buffer } from "node:buffer";
import type { ByteString } from "../tar/byte-string.ts";
import type {
  EnterStep,
  Line,
  Listed,
  ListedAttributes,
  ListedDirectory,
  ListedLink,
  ListedName,
  TreeStep,
  Way,
} from "./tree-list.ts";

// Enough work that a thread need not ask for more all the time, and little enough that threads end together.
const stepsOfLine = 512;
const contentBytesOfPart = 4 * 1024 * 1024;
/** How much of attributes and targets a line may have, roughly. */
const bytesOfLine = 128 * 1024;

/** A directory that is being listed. */
interface OpenDirectory {
  readonly attributes: ListedAttributes;
  /** Whether it is begun in a part before this one, or something comes into it when all parts are done. */
  isLeftForLater: boolean;
}

/** Writes the list of a tree while the tree is walked, depth first. */
export class ListWriter {
  readonly #write: (line: Uint8Array) => void;
  readonly #way: ByteString[] = [];
  /** The root and the directories of the way. */
  readonly #open: OpenDirectory[];
  #at: readonly ListedName[] = [];
  #steps: TreeStep[] = [];
  #weight = 0;
  #links: ListedLink[] = [];
  #directories: ListedDirectory[] = [];

  /** `write` is given whole lines. */
  constructor(root: ListedAttributes, write: (line: Uint8Array) => void) {
    this.#write = write;
    this.#open = [{ attributes: root, isLeftForLater: true }];
  }

  /** The names of the directories that lead to where the walk is. */
  get way(): Way {
    return [...this.#way];
  }

  enter(step: Omit<EnterStep, "type" | "mode">, attributes: ListedAttributes): void {
    this.#way.push(step.name);
    this.#open.push({ attributes, isLeftForLater: false });
    this.#add({ type: "enter", mode: attributes.mode, ...step }, 0);
  }

  leave(): void {
    const left = this.#open.pop();
    if (left === undefined) return;
    const { attributes, isLeftForLater } = left;
    const way = this.way;
    this.#way.pop();
    if (isLeftForLater) this.#leaveForLater(way, attributes);
    else this.#add({ type: "leave", attributes }, weightOf(attributes));
  }

  /** What is no directory. It may have further names. */
  add(listed: Listed, isLinked: boolean): void {
    if (isLinked) this.#leaveAllForLater();
    const content = listed.type === "file" ? (listed.sizeBytes * bytesOfLine) / contentBytesOfPart : 0;
    this.#add(listed, weightOf(listed) + content);
  }

  /** A further name, in the directory where the walk is. */
  link(link: Omit<ListedLink, "way">): void {
    this.#leaveAllForLater();
    this.#links.push({ way: this.way, ...link });
    if (this.#links.length >= stepsOfLine) this.#endLinks();
  }

  end(): void {
    const root = this.#open[0];
    if (root !== undefined) this.#directories.push({ way: [], attributes: root.attributes });
    this.#endPart();
    this.#endLinks();
    this.#endDirectories();
  }

  #leaveForLater(way: Way, attributes: ListedAttributes): void {
    this.#add({ type: "leave" }, 0);
    this.#directories.push({ way, attributes });
    this.#leaveAllForLater();
    if (this.#directories.length >= stepsOfLine) this.#endDirectories();
  }

  #leaveAllForLater(): void {
    for (const directory of this.#open.toReversed()) {
      if (directory.isLeftForLater) return;
      directory.isLeftForLater = true;
    }
  }

  #add(step: TreeStep, weight: number): void {
    this.#steps.push(step);
    this.#weight += weight + bytesOfLine / stepsOfLine;
    if (this.#weight >= bytesOfLine) this.#endPart();
  }

  #endPart(): void {
    if (this.#steps.length > 0) this.#writeLine({ at: this.#at, steps: this.#steps });
    this.#steps = [];
    this.#weight = 0;
    this.#at = this.#way.map((name, index) => ({ name, mode: this.#open[index + 1]?.attributes.mode ?? 0 }));
    this.#leaveAllForLater();
  }

  #endLinks(): void {
    if (this.#links.length > 0) this.#writeLine({ links: this.#links });
    this.#links = [];
  }

  #endDirectories(): void {
    if (this.#directories.length > 0) this.#writeLine({ directories: this.#directories });
    this.#directories = [];
  }

  #writeLine(line: Line): void {
    this.#write(Buffer.from(`${JSON.stringify(line)}\n`));
  }
}

/** What is long in a line besides names. */
function weightOf(attributes: ListedAttributes): number {
  return (attributes.xattrs ?? []).reduce((bytes, [name, value]) => bytes + name.length + value.length, 0);
}
