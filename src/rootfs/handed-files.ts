import type { SkipReason, WarningCode } from "../base/events.ts";
import type { FindingsReporter } from "../layer/findings.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { DiskDirectory } from "./disk-directory.ts";
import type { FileSystemTraits } from "./file-system-probe.ts";
import { NewDirectories } from "./new-directories.ts";

/** A file that somebody else is to make: nothing stands at its name. */
export interface HandedFile {
  readonly directory: DiskDirectory;
  readonly name: ByteString;
  readonly entry: Entry;
}

/** What is to be told of a file, of which everybody knows the path. */
export type HandedFinding =
  | { readonly type: "skipped"; readonly reason: SkipReason; readonly detail: string }
  | { readonly type: "warning"; readonly code: WarningCode; readonly message: string };

/** What became of a file. */
export interface Outcome {
  readonly findings: readonly HandedFinding[];
  /** Why it was not made. */
  readonly error?: unknown;
}

export const madeAsStated: Outcome = { findings: [] };

/** Those who make files while the calling thread goes on with names. Each makes its files in the order it was given them. */
export interface Makers {
  /** Says what becomes of new files here, before the first one is given. */
  begin(fileSystem: FileSystemTraits): void;
  /** Gives a file to one of them, with all of its data, and tells to which one: a number. */
  give(file: HandedFile, body: ByteSource): number;
  /** What became of the next file of one of them; `undefined` if that is not known yet, never if it may wait. */
  outcome(maker: number, wait: boolean): Outcome | undefined;
}

/** How many files may be on their way at a time, and how many are before anybody looks what became of them. */
const mostOnTheirWay = 256;
const fewOnTheirWay = 64;

/**
 * The longest path of a file that is handed on. Makers find its directory by one path, and what comes back has its path
 * in it.
 */
const longestPath = 3000;
/** In deeper directories nothing is handed on: to put the path together takes as long as the directory is deep. */
const mostLevels = 32;

/** A file that may not be there yet. */
interface OnItsWay {
  readonly directory: DiskDirectory;
  readonly name: ByteString;
  readonly path: ByteString;
  readonly maker: number;
}

/**
 * Files that others make, while this thread goes on in the order of the archive.
 *
 * What this thread does, it does as if each of them were there: whoever looks at a name, or is about to take it or its
 * directory away, has to call `settleAt` or `settle` before. What is told of files, and the first error, come in the
 * order of the archive, too.
 */
export class HandedFiles {
  readonly newDirectories = new NewDirectories();
  readonly #makers: Makers;
  readonly #reporter: FindingsReporter;
  /** In the order of the archive. */
  readonly #onTheirWay: OnItsWay[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isTelling = false;
  /** The directory that was asked for last, and whether its path is short enough. */
  #directory: DiskDirectory | undefined;
  #isInReach = false;

  /** `reporter` is told what is found in files. */
  constructor(makers: Makers, reporter: FindingsReporter) {
    this.#makers = makers;
    this.#reporter = reporter;
  }

  begin(fileSystem: FileSystemTraits): void {
    this.#makers.begin(fileSystem);
  }

  /**
   * Whether the file that an entry describes can be handed on, into this directory. What is rare is not, nor what
   * stands for a device.
   */
  canTake(directory: DiskDirectory, { type, path, segments, xattrs }: Entry): boolean {
    if (directory !== this.#directory) {
      this.#directory = directory;
      this.#isInReach = directory.depth <= mostLevels && directory.path.length <= longestPath;
    }
    const isUsual = type === "file" && segments === undefined && xattrs === undefined;
    return isUsual && this.#isInReach && path.length <= longestPath;
  }

  /** Has a file made, some time. Its data are read before this returns. */
  give(file: HandedFile, body: ByteSource): void {
    this.#settleSome();
    const { directory, name } = file;
    const maker = this.#makers.give(file, body);
    this.#onTheirWay.push({ directory, name, path: file.entry.path, maker });
    directory.own.handed ??= new Set();
    directory.own.handed.add(name);
  }

  /** Waits until what was handed on at a name is there. */
  settleAt(directory: DiskDirectory, name: ByteString): void {
    while (directory.own.handed?.has(name) === true) this.#settleFirst(true);
  }

  /** Waits until all files are there. Throws the first error, also if that was thrown before. */
  settle(): void {
    if (this.#isTelling) return;
    if (this.#failure !== undefined) throw this.#failure.error;
    while (this.#onTheirWay.length > 0) this.#settleFirst(true);
  }

  /** Does something, and throws the error of an earlier file rather than one that comes of that. */
  inOrder<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      this.settle();
      throw error;
    }
  }

  #settleSome(): void {
    if (this.#onTheirWay.length < fewOnTheirWay) return;
    while (this.#settleFirst(this.#onTheirWay.length >= mostOnTheirWay));
  }

  /** Takes note of what became of the oldest file; false if that is not known yet. */
  #settleFirst(wait: boolean): boolean {
    const first = this.#onTheirWay[0];
    const outcome = first && this.#makers.outcome(first.maker, wait);
    if (first === undefined || outcome === undefined) return false;
    this.#onTheirWay.shift();
    first.directory.own.handed?.delete(first.name);
    if (outcome !== madeAsStated) this.#tell(outcome, first.path);
    return true;
  }

  #tell({ findings, error }: Outcome, path: ByteString): void {
    this.#isTelling = true;
    for (const finding of findings) {
      if (finding.type === "skipped") this.#reporter.skipped(path, finding.reason, finding.detail);
      else this.#reporter.warning(finding.code, finding.message, path);
    }
    this.#isTelling = false;
    if (error === undefined) return;
    this.#failure = { error };
    throw error;
  }
}
