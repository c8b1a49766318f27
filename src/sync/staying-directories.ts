import type { Memory } from "../base/memory-budget.ts";
import type { Stat } from "../linux/stat.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeDirectory, TreeNode } from "../tree/tree-file.ts";
import type { NamedInodes } from "./linked-files.ts";

/** A file that stays as it is, at its name. */
export interface StayingFile {
  readonly named: Exclude<TreeNode, TreeDirectory>;
  readonly identity: Stat["identity"];
}

/** What becomes of directories while they are compared. */
export interface StayingObserver {
  /** Both roots are to have it: it is made in the new one, before anything is put into it. */
  makeDirectory(directory: TreeDirectory, path: ByteString): void;
  /**
   * All files stay in it. Gives them their names in the new root, from those in the old one, which is open, and says
   * whether all of them have theirs.
   */
  linkFiles(directory: TreeDirectory, from: number, files: NamedInodes): boolean;
}

/** A directory of both roots, and what stays in it. A file is here whatever is no directory. */
interface Level {
  readonly directory: TreeDirectory;
  readonly fileSystem: Stat["fileSystem"];
  readonly nodes: StayingFile["named"][];
  readonly names: ByteString[];
  readonly inodes: number[];
  /** Whether all files stay, so far. */
  isWhole: boolean;
}

// A file takes a place in three arrays, a directory one in two sets.
const fileBytes = 24;
const directoryBytes = 96;

/** In directories with more of them files are laid one by one: what is remembered then is counted file by file. */
const mostFiles = 8192;

/**
 * Finds out, while the old root is compared, in which directories all files stay, and has these linked at once: nobody has
 * to look at them one by one again. Only files with one name, on the file system that their directory is on, count.
 */
export class StayingDirectories {
  readonly #observer: StayingObserver;
  readonly #memory: Memory;
  readonly #levels: Level[] = [];
  readonly #linked = new Set<TreeDirectory>();
  /** Those in which something remains to be made, or in one below. */
  readonly #unfinished = new Set<TreeDirectory>();

  constructor(observer: StayingObserver, memory: Memory) {
    this.#observer = observer;
    this.#memory = memory;
  }

  /** Begins a directory that both roots are to have. */
  enter(directory: TreeDirectory, path: ByteString, { fileSystem }: Stat): void {
    this.#memory.spend(directoryBytes, "directories that stay");
    this.#observer.makeDirectory(directory, path);
    this.#levels.push({ directory, fileSystem, nodes: [], names: [], inodes: [], isWhole: true });
  }

  /** Takes note of a file that stays in that directory; false if it is none that counts. */
  take(named: StayingFile["named"], name: ByteString, { inode, fileSystem, nameCount }: Stat): boolean {
    const level = this.#levels.at(-1);
    if (level === undefined || typeof inode !== "number" || nameCount !== 1) return false;
    if (fileSystem !== level.fileSystem || level.nodes.length >= mostFiles) return false;
    this.#memory.spend(fileBytes, "files that stay");
    level.nodes.push(named);
    level.names.push(name);
    level.inodes.push(inode);
    return true;
  }

  /** Takes note of something in that directory that does not stay, or that has to be looked at again. */
  breakUp(): void {
    const level = this.#levels.at(-1);
    if (level !== undefined) level.isWhole = false;
  }

  /** Ends the directory, of which `from` is an open handle. Gives the files that stay and have to be laid one by one. */
  leave(from: number): readonly StayingFile[] {
    const level = this.#levels.pop();
    if (level === undefined) throw new TypeError("no directory was entered");
    const { directory, fileSystem, nodes, inodes } = level;
    this.#memory.release(fileBytes * nodes.length);
    if (level.isWhole && (nodes.length === 0 || this.#observer.linkFiles(directory, from, level))) {
      this.#linked.add(directory);
      return [];
    }
    let each: TreeDirectory | undefined = directory;
    for (; each !== undefined && !this.#unfinished.has(each); each = each.parent) this.#unfinished.add(each);
    return nodes.map((named, index) => ({ named, identity: `${fileSystem}:${inodes[index]}` }));
  }

  /** Whether all files of a directory have their names in the new root. */
  areLinked(directory: TreeDirectory): boolean {
    return this.#linked.has(directory);
  }

  /** Whether nothing remains to be made in a directory, and below. */
  isComplete(directory: TreeDirectory): boolean {
    return this.#linked.has(directory) && !this.#unfinished.has(directory);
  }
}
